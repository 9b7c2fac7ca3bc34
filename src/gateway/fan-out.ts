/**
 * The log's side of delivery on this node: one subscription to the log per topic, however many local subscribers, and
 * the periodic comparison with the log's heads that notices what publications lost [L6].
 *
 *   log ──published──▶ Fan ──▶ Subscription ──▶ connection
 *                       ▲
 *   log.heads ◀── tick ─┘   topics with recent events every 5 s, others every 25 s, all at once after a reconnect
 */
import type { EventLog, Head, Published } from "../ports/event-log.ts";
import type { Logger } from "../ports/logger.ts";
import { frameHead, type FrameHead } from "../protocol/codec.ts";
import type { Clock } from "./clock.ts";
import { withDeadline } from "./deadline.ts";
import type { DeliveryInput } from "./delivery.ts";
import { DOUBT, LiveBatch, type Subscription } from "./subscription.ts";

const TICK_MS = 1_000;
const ACTIVE_MS = 5_000;
const IDLE_MS = 25_000;
/** Topics in one call for heads. */
const MAX_HEADS = 1_000;
const HEADS_MS = 5_000;
/** A turn that published more than this (UTF-16 units) is read instead: reads are bounded, and look at the pressure. */
const MAX_LIVE_BATCH = 256 * 1024;

export interface FanOutOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Of a topic that nothing was published in yet. */
const NO_HEAD = frameHead("", "");

interface Fan {
  readonly topic: string;
  /** Nearly always one: a list takes less than a set. Replaced, never changed. */
  subscriptions: readonly Subscription[];
  /** Subscribes that are being answered: their events come soon. */
  pending: number;
  stop: () => void;
  /** Of what was published last; "" before the first. */
  epoch: string;
  /** `frameHead` of this topic in this epoch. */
  head: FrameHead;
  /** Highest seq that was published in this epoch. */
  seen: number;
  publishedAt: number;
  checkAt: number;
}

/** Told of the time every second while it asks for it. */
export interface Ticking {
  /** Returns whether it wants to be told again. */
  tick(now: number): boolean;
}

export class FanOut {
  readonly #options: FanOutOptions;
  readonly #fans = new Map<string, Fan>();
  readonly #ticking = new Set<Ticking>();
  readonly #stopTicks: () => void;
  readonly #stopReconnects: () => void;
  #subscriptions = 0;
  /** The time of the last tick: good enough for what is measured in seconds, and no clock is read once per event. */
  #time: number;
  #comparing = false;
  #closed = false;

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#time = options.clock.now();
    this.#stopTicks = options.clock.every(TICK_MS, () => this.#tick());
    this.#stopReconnects = options.log.onReconnect(() => this.#compareAll());
  }

  /** Topics that this node is subscribed to. */
  get topics(): number {
    return this.#fans.size;
  }

  /** Over all connections. */
  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** Starts listening before a subscribe is answered; each `prepare` is followed by one `settle`. */
  prepare(topic: string): void {
    this.#fan(topic).pending++;
  }

  settle(topic: string): void {
    const fan = this.#fans.get(topic);
    if (fan === undefined) return;
    fan.pending--;
    this.#dropIfUnused(fan);
  }

  attach(subscription: Subscription): void {
    const fan = this.#fan(subscription.topic);
    // Not by spreading, which leaves room for sixteen more.
    fan.subscriptions = fan.subscriptions.concat(subscription);
    this.#subscriptions++;
  }

  detach(subscription: Subscription): void {
    const fan = this.#fans.get(subscription.topic);
    if (!fan?.subscriptions.includes(subscription)) return;
    fan.subscriptions = fan.subscriptions.filter((other) => other !== subscription);
    this.#subscriptions--;
    this.#dropIfUnused(fan);
  }

  /** Sends a frame to who reads the topic here and can take it now; it is made only if somebody does [L10]. */
  pass(topic: string, frame: () => string): void {
    const fan = this.#fans.get(topic);
    if (fan === undefined || fan.subscriptions.length === 0) return;
    const encoded = frame();
    for (const subscription of fan.subscriptions) subscription.pass(encoded);
  }

  watch(ticking: Ticking): void {
    this.#ticking.add(ticking);
  }

  unwatch(ticking: Ticking): void {
    this.#ticking.delete(ticking);
  }

  /** Listens to nothing any more. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#stopTicks();
    this.#stopReconnects();
    for (const fan of this.#fans.values()) fan.stop();
    this.#fans.clear();
    this.#ticking.clear();
  }

  #fan(topic: string): Fan {
    const known = this.#fans.get(topic);
    if (known !== undefined) return known;
    const now = this.#options.clock.now();
    const fan: Fan = {
      topic,
      subscriptions: [],
      pending: 0,
      stop: () => undefined,
      epoch: "",
      head: NO_HEAD,
      seen: 0,
      publishedAt: now,
      checkAt: now + ACTIVE_MS,
    };
    this.#fans.set(topic, fan);
    if (!this.#closed) fan.stop = this.#options.log.subscribe(topic, (published) => this.#publish(fan, published));
    return fan;
  }

  #dropIfUnused(fan: Fan): void {
    if (fan.subscriptions.length > 0 || fan.pending > 0) return;
    fan.stop();
    this.#fans.delete(fan.topic);
  }

  #publish(fan: Fan, { epoch, entries }: Published): void {
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined) return;
    if (epoch !== fan.epoch) {
      fan.epoch = epoch;
      fan.head = frameHead(fan.topic, epoch);
      fan.seen = 0;
    }
    if (last.seq > fan.seen) fan.seen = last.seq;
    fan.publishedAt = this.#time;
    if (fan.checkAt > this.#time + ACTIVE_MS) fan.checkAt = this.#time + ACTIVE_MS;
    if (entries.length > 1 && entries.reduce((units, { event }) => units + event.length, 0) > MAX_LIVE_BATCH) {
      return this.#tell(fan, { type: "head", epoch, seq: last.seq });
    }
    const input: DeliveryInput = { type: "published", epoch, first: first.seq, last: last.seq };
    const batch = new LiveBatch(fan.head, entries, fan.subscriptions.length > 1);
    for (const subscription of fan.subscriptions) subscription.feed(input, batch);
  }

  #tell(fan: Fan, input: DeliveryInput): void {
    for (const subscription of fan.subscriptions) subscription.feed(input);
  }

  #tick(): void {
    const now = this.#options.clock.now();
    this.#time = now;
    for (const ticking of this.#ticking) if (!ticking.tick(now)) this.#ticking.delete(ticking);
    this.#compareDue(now);
  }

  /** What was published meanwhile may be lost, for any topic. */
  #compareAll(): void {
    for (const fan of this.#fans.values()) fan.checkAt = 0;
    this.#compareDue(this.#options.clock.now());
  }

  #compareDue(now: number): void {
    if (this.#comparing || this.#closed) return;
    const due: Fan[] = [];
    for (const fan of this.#fans.values()) {
      if (fan.checkAt > now) continue;
      due.push(fan);
      if (due.length === MAX_HEADS) break;
    }
    if (due.length === 0) return;
    for (const fan of due) {
      fan.checkAt = now + (now - fan.publishedAt < IDLE_MS ? ACTIVE_MS : IDLE_MS);
      // To the end, so that those that did not fit come first next time.
      this.#fans.delete(fan.topic);
      this.#fans.set(fan.topic, fan);
    }
    this.#compare(due);
  }

  #compare(due: readonly Fan[]): void {
    const { log, clock, logger } = this.#options;
    const topics = due.map(({ topic }) => topic);
    // The answer may be older than what was published meanwhile, but not older than this.
    const seen = due.map(({ epoch, seen: seq }) => ({ epoch, seq }));
    let answered = false;
    this.#comparing = true;
    withDeadline(clock, HEADS_MS, log.heads(topics))
      .then(
        (heads) => {
          answered = true;
          for (const [i, fan] of due.entries()) this.#tell(fan, hintOf(heads[i] ?? null, seen[i]));
        },
        (error: unknown) => {
          logger.debug({ err: error, topics: topics.length }, "The heads could not be read; the next comparison will.");
          for (const fan of due) fan.checkAt = 0;
        },
      )
      .catch((error: unknown) => logger.error({ err: error }, "A subscription failed."))
      .finally(() => {
        this.#comparing = false;
        // Those that did not fit, or became due meanwhile. After a failure they wait for the next tick.
        if (answered) this.#compareDue(clock.now());
      });
  }
}

function hintOf(head: Head | null, seen: { readonly epoch: string; readonly seq: number } | undefined): DeliveryInput {
  if (head === null) return DOUBT;
  if (seen?.epoch === head.epoch && head.seq < seen.seq) return DOUBT;
  return { type: "head", epoch: head.epoch, seq: head.seq };
}
