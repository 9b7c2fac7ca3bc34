/**
 * The frames of the wire: JSON-RPC 2.0 requests, responses and notifications, one a text frame [W3, W4].
 * Types only at run time; `codec.ts` reads and writes them.
 */
import type { ErrorData } from "./errors.ts";
import type { EphemeralEvent, ParleyEvent } from "./events.ts";
import type { Position } from "./shapes.ts";

export type RequestId = string | number;

export interface RequestFrame {
  readonly jsonrpc: "2.0";
  readonly id: RequestId;
  readonly method: string;
  readonly params?: unknown;
}

export interface ResultFrame {
  readonly jsonrpc: "2.0";
  readonly id: RequestId;
  readonly result: unknown;
}

/** `id` is null where the request was too broken to have one. */
export interface ErrorFrame {
  readonly jsonrpc: "2.0";
  readonly id: RequestId | null;
  readonly error: { readonly code: number; readonly message: string; readonly data: ErrorData };
}

/** The first frame of a connection, from the server [W2]. */
export interface Hello {
  readonly protocol: string;
  readonly connectionId: string;
  readonly nodeId: string;
  readonly time: string;
  readonly heartbeatMs: number;
  readonly silenceMs: number;
  readonly authDeadlineMs: number;
  /** Ways to authenticate here: `cookie`, `token`, `session`. */
  readonly auth: readonly string[];
  /** Set when the cookie at the upgrade was accepted: no login is needed. */
  readonly session?: { readonly id: string; readonly expiresAt: string };
  readonly user?: { readonly id: string; readonly name: string };
  readonly tenant?: { readonly id: string; readonly name: string };
  readonly limits: Limits;
}

/** [W11]. Bytes are UTF-8 bytes of a whole frame. */
export interface Limits {
  readonly frameIn: number;
  readonly frameInAnonymous: number;
  readonly frameOut: number;
  readonly event: number;
  readonly depth: number;
  readonly inFlight: number;
  readonly subscriptions: number;
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
}

export interface EventItem {
  readonly seq: number;
  /** First seq of a merged delta; absent when it is `seq` itself [W5]. */
  readonly fromSeq?: number;
  readonly ts: string;
  readonly event: ParleyEvent;
}

/** `event` carries one item, `events` several of one topic and epoch, ascending by seq. */
export interface EventParams extends EventItem {
  readonly topic: string;
  readonly epoch: string;
}
export interface EventsParams {
  readonly topic: string;
  readonly epoch: string;
  readonly events: readonly EventItem[];
}

/** [L10]: sent once, without a place in the topic's log; a slow reader is not sent it. */
export interface EphemeralParams {
  readonly topic: string;
  readonly event: EphemeralEvent;
}

/** [W9]: where this connection stands in each topic; a client that stands elsewhere subscribes again. */
export interface Heartbeat {
  readonly time: string;
  readonly positions: Readonly<Record<string, Position>>;
}

/** The server can't continue this topic from where the client stands (a new epoch): subscribe again. */
export interface Resync {
  readonly topic: string;
}

/** The node drains: reconnect after the delay, elsewhere if there is an elsewhere. */
export interface Draining {
  readonly reconnectAfterMs: number;
}

export type Notification =
  | { readonly jsonrpc: "2.0"; readonly method: "hello"; readonly params: Hello }
  | { readonly jsonrpc: "2.0"; readonly method: "event"; readonly params: EventParams }
  | { readonly jsonrpc: "2.0"; readonly method: "events"; readonly params: EventsParams }
  | { readonly jsonrpc: "2.0"; readonly method: "ephemeral"; readonly params: EphemeralParams }
  | { readonly jsonrpc: "2.0"; readonly method: "heartbeat"; readonly params: Heartbeat }
  | { readonly jsonrpc: "2.0"; readonly method: "resync"; readonly params: Resync }
  | { readonly jsonrpc: "2.0"; readonly method: "draining"; readonly params: Draining };

export type ServerFrame = ResultFrame | ErrorFrame | Notification;
