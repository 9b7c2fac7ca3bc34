/**
 * How the gateway uses delivery. One `DeliveryHub` a process, one `DeliveryLink` a connection that subscribes:
 *
 *   const hub = new DeliveryHub({ log, store, clock, logger, counters, maxSubscriptions })     delivery-hub.ts
 *   const topics = hub.open(connection)
 *
 *   handler          → topics.subscribe(scope, params)         computes the answer, holds the events
 *   response written → topics.release(result)                  lets the events of that answer go [W6]
 *   transport drain  → topics.drain()
 *   send "buffered"  → topics.notePressure()                   after a response was not taken at once
 *   heartbeat        → topics.positions()                      [W9]
 *   transport close  → topics.close()
 */
import type { DeliveryCounts } from "../ports/metrics.ts";
import type { TopicService } from "../ports/services.ts";
import type { Position } from "../protocol/shapes.ts";

export interface DeliveryLink extends TopicService {
  /**
   * The response that carries this very object has been handed to the connection: its events may follow. Anything
   * that `subscribe` did not return is ignored, so the caller may pass every handler's result. An answer that is
   * not released within 10 s (its request was cancelled) is given up with a `resync`.
   */
  release(result: object): void;
  /** The connection's buffer has fallen. */
  drain(): void;
  /** A frame of somebody else was buffered on this connection: look at the pressure. */
  notePressure(): void;
  /** What this connection was sent, for each topic whose answer has been written. */
  positions(): Record<string, Position>;
  /** The connection is gone. Idempotent; nothing is sent afterwards. */
  close(): void;
}

/** What metrics read; delivery adds to it, once per event. */
export type DeliveryCounters = { -readonly [Name in keyof DeliveryCounts]: number };

export const newDeliveryCounters = (): DeliveryCounters => ({
  events: 0,
  bytes: 0,
  lagged: 0,
  resyncs: 0,
  gapsHealed: 0,
  tooSlow: 0,
  readsFailed: 0,
});
