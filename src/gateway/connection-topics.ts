/** The topics of one connection: subscriptions, the pressure they share, and the answers that hold them back. */
import type { Connection } from "../ports/connection.ts";
import type { PresenceService } from "../ports/services.ts";
import type { Scope } from "../ports/store.ts";
import { encodeNotification } from "../protocol/codec.ts";
import { CLOSE, ParleyError } from "../protocol/errors.ts";
import type { Params, Result } from "../protocol/methods.ts";
import type { Position } from "../protocol/shapes.ts";
import type { Clock } from "./clock.ts";
import type { DeliveryCounters, DeliveryLink } from "./delivery-types.ts";
import type { FanOut, Ticking } from "./fan-out.ts";
import type { LogReader } from "./log-reader.ts";
import { ConnectionPresence, type PresenceShared, type Reading } from "./presence.ts";
import { FLOWING, observe, type Pressure } from "./pressure.ts";
import type { ShareReaders } from "./share-readers.ts";
import { PRESSURE, RELIEVED, STOPPED, Subscription, type SubscriptionOwner } from "./subscription.ts";
import type { OpenedTopic, TopicOpener } from "./topics.ts";

/** A subscription whose answer has not been written by then is given up: its request was cancelled. */
const HELD_MS = 10_000;

/** What all connections of a node share. */
export interface DeliveryShared {
  readonly fanOut: FanOut;
  readonly reader: LogReader;
  readonly opener: TopicOpener;
  readonly clock: Clock;
  readonly presence: PresenceShared;
  readonly counters: DeliveryCounters;
  readonly shareReaders: ShareReaders;
  /** Topics that one connection may have. */
  readonly maxSubscriptions: number;
}

interface HeldAnswer {
  readonly subscription: Subscription;
  readonly since: number;
}

export class ConnectionTopics implements DeliveryLink, SubscriptionOwner, Ticking {
  readonly connection: Connection;
  readonly #shared: DeliveryShared;
  /** A few: a list takes less than a map, of which there would be tens of thousands. Replaced, never changed. */
  #subscriptions: readonly Subscription[] = [];
  /** The newest subscribe of each topic that is being answered. */
  #opening: Map<string, object> | undefined = undefined;
  /** By the answer that they wait for. */
  #held: Map<object, HeldAnswer> | undefined = undefined;
  #pressure: Pressure = FLOWING;
  #presence: ConnectionPresence | undefined = undefined;
  #closed = false;

  constructor(connection: Connection, shared: DeliveryShared) {
    this.connection = connection;
    this.#shared = shared;
  }

  get reader(): LogReader {
    return this.#shared.reader;
  }

  get counters(): DeliveryCounters {
    return this.#shared.counters;
  }

  async subscribe(scope: Scope, params: Params<"topic.subscribe">): Promise<Result<"topic.subscribe">> {
    const { topic } = params;
    const { fanOut, opener, shareReaders } = this.#shared;
    this.#admit(topic);
    const ticket = {};
    this.#opening ??= new Map();
    this.#opening.set(topic, ticket);
    fanOut.prepare(topic);
    const { revocations } = shareReaders;
    try {
      const opened = await opener.open(scope, params);
      if (opened.shareId !== undefined && revocations !== shareReaders.revocations) {
        throw new ParleyError("UNAVAILABLE", { retryAfterMs: 100 });
      }
      if (this.#opening?.get(topic) !== ticket) throw new ParleyError("CANCELLED");
      this.#hold(topic, opened);
      return opened.answer;
    } finally {
      if (this.#opening?.get(topic) === ticket) this.#opening.delete(topic);
      if (this.#opening?.size === 0) this.#opening = undefined;
      fanOut.settle(topic);
    }
  }

  unsubscribe(topic: string): void {
    this.#opening?.delete(topic);
    this.#stop(this.#subscription(topic));
    this.#presence?.leave(topic);
  }

  get presence(): PresenceService {
    if (this.#closed) throw new ParleyError("CANCELLED");
    const { presence } = this.#shared;
    return (this.#presence ??= new ConnectionPresence(this.connection.id, presence, (topic) => this.#reading(topic)));
  }

  release(result: object): void {
    const held = this.#held?.get(result);
    if (held === undefined) return;
    this.#held?.delete(result);
    if (this.#held?.size === 0) this.#held = undefined;
    held.subscription.feed({ type: "released", pressed: this.#pressure.kind === "pressed" });
  }

  drain(): void {
    this.#observe();
  }

  notePressure(): void {
    this.#observe();
  }

  positions(): Record<string, Position> {
    const positions: Record<string, Position> = {};
    for (const { topic, state } of this.#subscriptions) {
      if (state.kind === "held" || state.kind === "ended") continue;
      positions[topic] = { epoch: state.epoch, seq: state.seq };
    }
    return positions;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#opening = undefined;
    this.#presence?.close();
    this.#shared.fanOut.unwatch(this);
    for (const subscription of this.#subscriptions) this.#stop(subscription);
    this.#held = undefined;
  }

  resync(subscription: Subscription): void {
    this.counters.resyncs++;
    this.#stop(subscription);
    this.#presence?.leave(subscription.topic);
    this.connection.send(encodeNotification("resync", { topic: subscription.topic }));
  }

  tick(now: number): boolean {
    for (const { subscription, since } of this.#held?.values() ?? []) {
      if (now - since >= HELD_MS) this.resync(subscription);
    }
    if (this.#pressure.kind === "pressed") this.#observe();
    return !this.#closed && (this.#pressure.kind === "pressed" || (this.#held?.size ?? 0) > 0);
  }

  #admit(topic: string): void {
    if (this.#closed) throw new ParleyError("CANCELLED");
    if (this.#subscription(topic) !== undefined || this.#opening?.has(topic)) return;
    const count = this.#subscriptions.length + (this.#opening?.size ?? 0);
    if (count >= this.#shared.maxSubscriptions) throw new ParleyError("TOO_MANY_SUBSCRIPTIONS");
  }

  /** The subscription exists from here on, but sends nothing before its answer was written [W6]. */
  #hold(topic: string, { answer, text, shareId }: OpenedTopic): void {
    this.#stop(this.#subscription(topic));
    const subscription = new Subscription(this, topic, answer.position, text);
    // Not by spreading, which leaves room for sixteen more.
    this.#subscriptions = this.#subscriptions.concat(subscription);
    this.#shared.fanOut.attach(subscription);
    if (shareId !== undefined) this.#shared.shareReaders.add(subscription, shareId, () => this.resync(subscription));
    this.#held ??= new Map();
    this.#held.set(answer, { subscription, since: this.#shared.clock.now() });
    this.#shared.fanOut.watch(this);
  }

  #reading(topic: string): Reading {
    const subscription = this.#subscription(topic);
    if (subscription === undefined) return this.#opening?.has(topic) ? "opening" : "none";
    return this.#shared.shareReaders.has(subscription) ? "by-link" : "own";
  }

  #subscription(topic: string): Subscription | undefined {
    return this.#subscriptions.find((subscription) => subscription.topic === topic);
  }

  #stop(subscription: Subscription | undefined): void {
    if (subscription === undefined) return;
    subscription.feed(STOPPED);
    this.#shared.fanOut.detach(subscription);
    this.#shared.shareReaders.remove(subscription);
    this.#subscriptions = this.#subscriptions.filter((other) => other !== subscription);
    for (const [answer, held] of this.#held ?? []) if (held.subscription === subscription) this.#held?.delete(answer);
  }

  #observe(): void {
    if (this.#closed) return;
    const { pressure, change } = observe(this.#pressure, this.connection.bufferedBytes, this.#shared.clock.now());
    this.#pressure = pressure;
    switch (change) {
      case "none":
        return;
      case "pressed":
        this.#shared.fanOut.watch(this);
        for (const subscription of this.#subscriptions) subscription.feed(PRESSURE);
        return;
      case "relieved":
        for (const subscription of this.#subscriptions) {
          // What one of them sends may fill the buffer again.
          if (this.#pressure.kind === "pressed") return;
          subscription.feed(RELIEVED);
        }
        return;
      case "too-slow":
        this.counters.tooSlow++;
        this.connection.close(CLOSE.TOO_SLOW, "too slow");
        this.close();
    }
  }
}
