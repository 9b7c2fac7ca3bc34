import type { ConnectionListener } from "./connection.ts";

/** HTTP beside the socket, free of any server library. Handlers get copies; bodies are read whole, up to a limit. */
export interface HttpRequest {
  readonly method: string;
  /** Path without the query, as sent (percent-encoded). */
  readonly path: string;
  readonly query: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  readonly remoteAddress: string;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. The transport adds the security headers that are not among them, and Content-Length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface HttpRoute {
  readonly method: "GET" | "POST" | "DELETE";
  /** An exact path, "/below/*" for all below it, or "*" for everything that no other route takes. */
  readonly path: string;
  /** Bytes; a larger body is answered 413 unread. 0 when the route takes none. */
  readonly maxBody: number;
  /** A `ParleyError` becomes its answer; anything else is a logged bug and a 500; 30 s without an answer are a 504. */
  handle(request: HttpRequest): HttpResponse | Promise<HttpResponse>;
}

/** A listening server: HTTP routes and the socket at `/ws`. */
export interface Transport {
  /** The port that was bound (the asked one, or a free one for 0). Rejects with a `StartError` when it is in use. */
  listen(): Promise<number>;
  /** Accepts nothing new. Open connections stay. Idempotent. */
  stopListening(): void;
  /** Closes what is left. Idempotent. */
  close(): Promise<void>;
}

export interface UpgradeRequest {
  readonly origin: string | undefined;
  readonly host: string | undefined;
  readonly remoteAddress: string;
}

/** Everything a transport needs besides its own options. */
export interface TransportHooks {
  readonly routes: readonly HttpRoute[];
  readonly connections: ConnectionListener;
  /** Checked before the upgrade: undefined accepts, anything else is the HTTP answer. */
  refuseUpgrade(request: UpgradeRequest): HttpResponse | undefined;
}
