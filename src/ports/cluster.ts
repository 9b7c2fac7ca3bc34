/** What the nodes of a cluster share beside the store, the log and the circuit breakers. */
import type { ConnectionCensus } from "./census.ts";
import type { CommandChannel } from "./commands.ts";
import type { Dependency } from "./dependency.ts";
import type { LoginCodeStore } from "./login-codes.ts";
import type { LoginLimiter } from "./login-limiter.ts";
import type { Peers } from "./peers.ts";
import type { SessionCache } from "./session-cache.ts";

export interface ClusterPorts {
  readonly commands: CommandChannel;
  readonly sessions: SessionCache;
  readonly loginCodes: LoginCodeStore;
  readonly loginLimiter: LoginLimiter;
  readonly census: ConnectionCensus;
  /** Where nodes say how they are: here, and in the database. */
  readonly peers: readonly Peers[];
  /** The server behind all of them. */
  readonly dependency: Dependency;
  /** Idempotent. */
  close(): Promise<void>;
}
