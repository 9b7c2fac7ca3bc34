/**
 * Who may talk to this server from inside a browser. A socket's upgrade carries cookies from any page and no
 * same-origin rule stops it, so the Origin is checked here; so is that of each HTTP request that changes something.
 *
 *   no Origin                     not a page: accepted
 *   Origin's host = Host          the server's own page: accepted
 *   Origin in the allow-list      accepted
 *   anything else, also "null"    ORIGIN_REFUSED
 *
 * DNS rebinding: a page of evil.example whose name is made to point at 127.0.0.1 is "the server's own page" by its
 * Host. So a server that is bound to loopback accepts a Host only if it is a loopback name or address, or the host of
 * an allowed origin (a proxy on the same machine).
 */
import { isIP } from "node:net";
import type { HttpRequest, HttpResponse, HttpRoute, UpgradeRequest } from "../ports/http.ts";
import type { Metrics } from "../ports/metrics.ts";
import { ParleyError } from "../protocol/errors.ts";
import { errorAnswer } from "./http-answer.ts";

export interface OriginRules {
  /** As in PARLEY_ALLOWED_ORIGINS: `https://app.example`. */
  readonly allowedOrigins: readonly string[];
  /** The address that the server is bound to. */
  readonly boundTo: string;
}

export interface OriginPolicy {
  /** undefined accepts. */
  check(origin: string | undefined, host: string | undefined): ParleyError | undefined;
}

export function originPolicy({ allowedOrigins, boundTo }: OriginRules): OriginPolicy {
  const allowed = new Set(allowedOrigins);
  const allowedHosts = new Set(allowedOrigins.map((origin) => new URL(origin).hostname));
  const onLoopback = isLoopback(boundTo);

  return {
    check(origin, host) {
      if (onLoopback) {
        const name = hostname(host);
        if (name === undefined || !(isLoopback(name) || allowedHosts.has(name))) return refused(REBINDING);
      }
      if (origin === undefined || origin === "" || allowed.has(origin)) return undefined;
      return sameHost(origin, host) ? undefined : refused();
    },
  };
}

const REBINDING =
  "This server listens on loopback only, and the Host of the request is no loopback name. " +
  "Behind a proxy, add its public origin to PARLEY_ALLOWED_ORIGINS.";

const refused = (message?: string) => new ParleyError("ORIGIN_REFUSED", message === undefined ? {} : { message });

/** `TransportHooks.refuseUpgrade`. */
export const upgradeGuard =
  (policy: OriginPolicy, metrics: Metrics) =>
  ({ origin, host }: UpgradeRequest): HttpResponse | undefined => {
    const error = policy.check(origin, host);
    if (error === undefined) return undefined;
    metrics.refused(error.code);
    return errorAnswer(error);
  };

/** The same rule around a route that changes something. */
export function guardRoute(policy: OriginPolicy, route: HttpRoute): HttpRoute {
  return {
    ...route,
    handle(request: HttpRequest) {
      const error = policy.check(request.headers.get("origin"), request.headers.get("host"));
      return error === undefined ? route.handle(request) : errorAnswer(error);
    },
  };
}

function sameHost(origin: string, host: string | undefined): boolean {
  if (host === undefined || host === "") return false;
  const from = parse(origin);
  // By the origin's scheme, so that a default port that only one of the two spells out makes no difference.
  const to = from === undefined ? undefined : parse(`${from.protocol}//${host}`);
  return from !== undefined && to !== undefined && from.host !== "" && from.host === to.host;
}

const hostname = (host: string | undefined): string | undefined =>
  host === undefined ? undefined : parse(`http://${host}`)?.hostname;

function parse(url: string): URL | undefined {
  const parsed = URL.parse(url);
  // A Host with a path, a user or a query is none.
  return parsed === null || parsed.pathname.length > 1 || parsed.username !== "" || parsed.search !== ""
    ? undefined
    : parsed;
}

function isLoopback(name: string): boolean {
  const bare = name.startsWith("[") ? name.slice(1, -1) : name.toLowerCase();
  if (isIP(bare) === 4) return bare.startsWith("127.");
  return bare === "::1" || bare === "localhost" || bare.endsWith(".localhost");
}
