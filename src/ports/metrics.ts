/**
 * What the server counts. Every call is made on a hot path: it adds to a field, allocates nothing, returns at once
 * and never throws. Names and units of what comes out of `/metrics` are the adapter's.
 */
import type { ErrorCode } from "../protocol/errors.ts";
import type { Approval, PresenceChange, ToolPart, Usage } from "../protocol/shapes.ts";
import type { BreakerState } from "./breaker.ts";
import type { ModelErrorKind } from "./model.ts";

/** Numbers that somebody else keeps already; asked when metrics are read, never in between. */
export type Gauge =
  /** Sessions with a connection here. */
  | "sessions"
  /** Topics that this node follows for its connections. */
  | "topics"
  /** Subscriptions, over all connections. */
  | "subscriptions"
  /** Runs that this process holds the lease of. */
  | "runs"
  /** Requests that wait for their answer. */
  | "handshakesWaiting"
  | "requestsInFlight"
  /** Bytes that wait for slow peers. */
  | "bufferedBytes"
  /** 1 while clients are sent to other nodes. */
  | "sendingAway"
  /** 1 while Redis answers. */
  | "redisUp"
  /** How long its last answer to a ping took, in seconds. */
  | "redisPing"
  /** How often the connection for commands was made anew. */
  | "redisReconnects";

export type RunEnd = "completed" | "stopped" | "failed" | "lost";

/** How one call to a provider ended; `aborted` is a stop, a limit or a lost lease on our side. */
export type ModelOutcome = "ok" | "aborted" | ModelErrorKind;

/** How a tool call ended. */
export type ToolOutcome = Extract<ToolPart["status"], "completed" | "failed" | "denied" | "stopped">;

export type ApprovalOutcome = Exclude<Approval["status"], "pending">;

/** Since the start; they only grow. */
export interface DeliveryCounts {
  /** Log entries handed to a connection, one for each subscriber. */
  readonly events: number;
  /** UTF-8 bytes of their frames. */
  readonly bytes: number;
  /** A connection's topic went from live to lagging [L7]. */
  readonly lagged: number;
  /** A subscription that could not go on from where it stood. */
  readonly resyncs: number;
  /** A gap was read from the log without closing anything [L6]. */
  readonly gapsHealed: number;
  /** Connections closed 4008. */
  readonly tooSlow: number;
  /** Reads of the log that failed or took too long, and were tried again. */
  readonly readsFailed: number;
}

export interface Metrics {
  connectionOpened(): void;
  /** `code` is the close code [W8]; 1006 when the peer vanished. */
  connectionClosed(code: number): void;
  /** An upgrade or a login that was refused. */
  refused(code: ErrorCode): void;
  /**
   * One request got its answer. `method` is what the client asked for: a name that no handler has counts as
   * "unknown". `ms` is from the frame's arrival to the answer's send.
   */
  requestFinished(method: string, ms: number, error?: ErrorCode): void;

  /** Hands over the object in which delivery counts for itself; it is read when metrics are. */
  delivery(counts: DeliveryCounts): void;
  /** One batch of appends reached the log; `ms` is how long the log took. */
  appended(entries: number, ms: number): void;

  runStarted(takeover: boolean): void;
  /** `lost`: another process owns it now, and ends it. */
  runEnded(status: RunEnd): void;
  /** From the accepted request to the first delta of the answer. */
  firstToken(ms: number): void;
  /** Deltas that a model produced. */
  tokens(count: number): void;

  /** One call to a provider ended; each retry is a call of its own. */
  modelCalled(model: string, outcome: ModelOutcome): void;
  /** From the request to the first thing that the model said. */
  modelSpoke(model: string, ms: number): void;
  /** What an answer took, its cost included where it is known. */
  modelUsed(model: string, usage: Usage): void;
  /** [R9] The same model is asked again after such a failure. */
  modelRetried(model: string, kind: ModelErrorKind): void;
  /** [R9] `model` was given up for the next of its chain. */
  modelFellBack(model: string): void;
  /** Says where the circuit breakers of models stand. The last one wins; asked when metrics are read. */
  breakers(read: () => Iterable<readonly [model: string, state: BreakerState["state"]]>): void;

  /** `ms` is what it ran, without the wait for a decision. */
  toolFinished(tool: string, outcome: ToolOutcome, ms: number): void;
  approvalEnded(outcome: ApprovalOutcome): void;

  /** [L10] A change of presence was heard, of any node: each is told to who reads its topic here. */
  presenceChanged(state: PresenceChange["state"]): void;

  /** Something was caught that should not have happened; the log has it in full. */
  bug(): void;
  /** Says where a gauge is read. The last one wins; a reader that throws is left out of that scrape. */
  gauge(name: Gauge, read: () => number): void;
  /** Says who counts the runs of the whole deployment by status. Asked once per scrape, for at most a second. */
  runCounts(read: () => Promise<Readonly<Record<string, number>>>): void;
}

/** Counts nothing: for tests and for callers that have no use for numbers. */
export const noMetrics: Metrics = {
  connectionOpened() {},
  connectionClosed() {},
  refused() {},
  requestFinished() {},
  delivery() {},
  appended() {},
  runStarted() {},
  runEnded() {},
  firstToken() {},
  tokens() {},
  modelCalled() {},
  modelSpoke() {},
  modelUsed() {},
  modelRetried() {},
  modelFellBack() {},
  breakers() {},
  toolFinished() {},
  approvalEnded() {},
  presenceChanged() {},
  bug() {},
  gauge() {},
  runCounts() {},
};
