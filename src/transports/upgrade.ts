/** What both transports say of an upgrade, and of a port that can't be had. */
import { createServer } from "node:net";
import { errorAnswer } from "../gateway/http-answer.ts";
import { cookieValue, SESSION_COOKIE } from "../gateway/http-headers.ts";
import type { HttpResponse, TransportHooks } from "../ports/http.ts";
import { StartError } from "../ports/start-error.ts";
import { PROTOCOL } from "../protocol/constants.ts";
import { ParleyError } from "../protocol/errors.ts";

/** RFC 6455 §7.4.1: the server met an unexpected condition. Clients reconnect. */
export const INTERNAL_ERROR = 1011;

/** Bytes. A larger frame drops the connection; the server's own limits lie below it and answer first [W11]. */
export const MAX_PAYLOAD = 1024 * 1024;
/** Bytes that wait for one peer. A connection is closed 4008 above 1 MiB [L7]; a frame adds 128 KiB. */
export const MAX_BACKPRESSURE = 2 * 1024 * 1024;
/**
 * Seconds in which neither anything came from the peer, pongs included, nor anything that was buffered left. The last 8
 * of them are the time it has to answer a ping [W9].
 */
export const IDLE_SECONDS = 36;

export const upgradeRequired = (): HttpResponse =>
  errorAnswer(new ParleyError("INVALID_REQUEST", { message: "This address takes WebSocket upgrades only." }), 426, {
    upgrade: "websocket",
    "sec-websocket-version": "13",
  });

export interface Upgrade {
  readonly stopped: boolean;
  readonly remoteAddress: string;
  /** Of a header; "" when absent. */
  header(name: string): string;
}

/**
 * The session's token of the upgrade's cookie. A page that brings its own login asks for `/ws?auth=token`: a browser sends
 * the cookie all the same, also from another origin of the same site, and it may be of somebody else.
 */
export const cookieOfUpgrade = (query: string, header: (name: string) => string): string | undefined =>
  new URLSearchParams(query).get("auth") === "token" ? undefined : cookieValue(header("cookie"), SESSION_COOKIE);

/** undefined accepts. */
export function upgradeRefusal(
  upgrade: Upgrade,
  hooks: Pick<TransportHooks, "refuseUpgrade">,
): HttpResponse | undefined {
  if (upgrade.stopped) return errorAnswer(new ParleyError("DRAINING"));
  if (upgrade.header("sec-websocket-version") !== "13") return upgradeRequired();
  const protocols = upgrade.header("sec-websocket-protocol");
  if (protocols !== "" && !protocols.split(",").some((offered) => offered.trim() === PROTOCOL)) {
    const message = `This server speaks the subprotocol ${PROTOCOL} only.`;
    return errorAnswer(new ParleyError("INVALID_REQUEST", { message }));
  }
  return hooks.refuseUpgrade({
    origin: upgrade.header("origin") || undefined,
    host: upgrade.header("host") || undefined,
    remoteAddress: upgrade.remoteAddress,
  });
}

/** What to do when Node can't listen there; `code` is its error's. */
export function cannotListen(host: string, port: number, code: string): StartError {
  switch (code) {
    case "EACCES":
      return new StartError(`Port ${port} may not be used by this account. Set PARLEY_WS_PORT to a port above 1023.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new StartError(
        `${host} is no address of this machine. Set PARLEY_WS_HOST to one, for example 127.0.0.1 or 0.0.0.0.`,
      );
    default:
      return new StartError(
        `Port ${port} of ${host} is in use by another program. ` +
          "Stop that program (is it another Parley?), or set PARLEY_WS_PORT to a free port.",
      );
  }
}

/** For a server library that says only that it failed: Node's own attempt names the reason. */
export async function whyNotListening(host: string, port: number): Promise<StartError> {
  const code = await new Promise<string>((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve("")));
  });
  return cannotListen(host, port, code);
}
