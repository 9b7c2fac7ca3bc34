/**
 * The connections of a page's elements: one for each server and login. The login is the function that gives its token:
 * elements that share it share the connection, the outbox, and the session.
 */
import { type Signal, signal } from "@preact/signals-core";
import { type Client, type ConnectionState, createClient } from "../../src/client/client.ts";
import { outboxStorage } from "../store/outbox-storage.ts";
import { browserStorage } from "../store/storage.ts";
import { policyForbids, refusesOrigin } from "./refusal.ts";

/** Gives a session token (`sessionToken` of a `login`) that the page's own backend has got. Called before every connection. */
export type TokenProvider = () => Promise<string> | string;

/** Why there is no connection, where a browser or the page itself is the reason. It is tried again all the same. */
export type Trouble =
  | { readonly kind: "provider"; readonly cause: unknown }
  /** The server does not accept pages of this origin. */
  | { readonly kind: "origin" }
  /** The page's content security policy does not let it connect. */
  | { readonly kind: "policy" };

export interface Connection {
  readonly client: Client;
  readonly trouble: Signal<Trouble | undefined>;
}

interface Shared extends Connection {
  readonly stop: () => void;
  users: number;
}

const shared = new Map<string, Map<TokenProvider, Shared>>();

/** What the browser keeps for a server, apart from the keys of the page and of other servers. */
export const keptFor = (server: URL): string => `parley-embed.${server.host}${server.pathname.replace(/\/$/, "")}.`;

/** The answer lets go of it. What nobody holds any more is closed, unless somebody takes it up at once: an element that moves. */
export function connect(server: URL, provider: TokenProvider): Connection & { readonly release: () => void } {
  const logins = shared.get(server.href) ?? new Map<TokenProvider, Shared>();
  shared.set(server.href, logins);
  const found = logins.get(provider) ?? open(server, provider);
  logins.set(provider, found);
  found.users++;
  let held = true;
  return {
    client: found.client,
    trouble: found.trouble,
    release() {
      if (!held) return;
      held = false;
      found.users--;
      setTimeout(() => {
        if (found.users > 0 || logins.get(provider) !== found) return;
        logins.delete(provider);
        found.stop();
      });
    },
  };
}

function open(server: URL, provider: TokenProvider): Shared {
  const trouble = signal<Trouble | undefined>(undefined);
  const client = createClient({
    url: new URL("ws", server).href,
    auth: { kind: "session", provider: () => told(provider, trouble) },
    outbox: outboxStorage(browserStorage(keptFor(server))),
  });
  const stop = new AbortController();
  const options = { signal: stop.signal };
  const probe = (): void => {
    client.probe().catch(() => undefined);
  };
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && probe(), options);
  addEventListener("online", probe, options);
  addEventListener("pageshow", ({ persisted }) => persisted && probe(), options);
  document.addEventListener(
    "securitypolicyviolation",
    (violation) => {
      if (policyForbids(violation, server)) trouble.value = { kind: "policy" };
    },
    options,
  );
  let before = client.state.phase;
  client.onState(({ phase }: ConnectionState) => {
    if (phase === "ready") trouble.value = undefined;
    // The socket never opened.
    else if (phase === "waiting" && before === "connecting") explain(server, trouble);
    before = phase;
  });
  return {
    client,
    trouble,
    users: 0,
    stop() {
      stop.abort();
      client.close();
    },
  };
}

async function told(provider: TokenProvider, trouble: Signal<Trouble | undefined>): Promise<string> {
  try {
    const token: unknown = await provider();
    if (typeof token !== "string" || token === "") throw new TypeError("tokenProvider gave no session token");
    if (trouble.value?.kind === "provider") trouble.value = undefined;
    return token;
  } catch (cause) {
    trouble.value = { kind: "provider", cause };
    // However it failed, it may work the next time.
    throw cause instanceof Error ? new Error(cause.message, { cause }) : new Error("tokenProvider failed");
  }
}

function explain(server: URL, trouble: Signal<Trouble | undefined>): void {
  const before = trouble.value;
  if (before?.kind === "provider" || before?.kind === "policy") return;
  refusesOrigin(server).then(
    (refuses) => {
      if (trouble.value === before) trouble.value = refuses ? { kind: "origin" } : undefined;
    },
    // It can't be reached at all: the element says that it tries.
    () => undefined,
  );
}
