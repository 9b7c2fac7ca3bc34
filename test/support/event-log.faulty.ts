/** An event log that misbehaves as a real one may, by a seed, and keeps its contract. */
import type {
  Append,
  AppendResult,
  EventLog,
  Head,
  LogListener,
  OpenRequest,
  OpenResult,
  Published,
  ReadResult,
  SealResult,
  TopicState,
} from "../../src/ports/event-log.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type { Position } from "../../src/protocol/shapes.ts";

/** Probabilities, 0 … 1. */
export interface Faults {
  /** The call fails and did nothing. */
  readonly refused: number;
  /** The call did its work and fails. */
  readonly lostReply: number;
  /** The append fails, and does its work some turns later. */
  readonly late: number;
  /** A call, or its answer, takes some turns. */
  readonly delayed: number;
  /** A publication never arrives … */
  readonly unheard: number;
  /** … or arrives twice … */
  readonly doubled: number;
  /** … or some turns later, after others. */
  readonly reordered: number;
}

export const NO_FAULTS: Faults = {
  refused: 0,
  lostReply: 0,
  late: 0,
  delayed: 0,
  unheard: 0,
  doubled: 0,
  reordered: 0,
};
export const ALL_FAULTS: Faults = {
  refused: 0.15,
  lostReply: 0.15,
  late: 0.1,
  delayed: 0.3,
  unheard: 0.2,
  doubled: 0.2,
  reordered: 0.3,
};

/** A sequence of numbers in 0 … 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Subscription {
  readonly topic: string;
  readonly listener: LogListener;
  stop: () => void;
  active: boolean;
}

export class FaultyEventLog implements EventLog {
  /** May be changed at any time. */
  faults: Faults;
  readonly #make: () => EventLog;
  readonly #random: () => number;
  readonly #subscriptions = new Set<Subscription>();
  readonly #reconnected = new Set<() => void>();
  #inner: EventLog;

  constructor(make: () => EventLog, seed: number, faults: Faults = ALL_FAULTS) {
    this.#make = make;
    this.#random = seeded(seed);
    this.#inner = make();
    this.faults = faults;
  }

  /** Says that publications may have been missed, as after a lost connection. */
  reconnect(): void {
    for (const listener of this.#reconnected) listener();
  }

  /** Loses everything that was stored. Subscriptions stay. */
  async restart(): Promise<void> {
    const old = this.#inner;
    this.#inner = this.#make();
    for (const subscription of this.#subscriptions) {
      subscription.stop();
      subscription.stop = this.#listen(subscription);
    }
    await old.close();
    this.reconnect();
  }

  open(request: OpenRequest): Promise<OpenResult> {
    return this.#call(() => this.#inner.open(request));
  }

  async append(batch: readonly Append[]): Promise<readonly AppendResult[]> {
    if (this.#happens(this.faults.late)) {
      this.#later(() => this.#inner.append(batch));
      throw new ParleyError("UNAVAILABLE");
    }
    return this.#call(() => this.#inner.append(batch));
  }

  seal(topic: string, fence: number): Promise<SealResult> {
    return this.#call(() => this.#inner.seal(topic, fence));
  }

  read(topic: string, after: Position, limit: number): Promise<ReadResult> {
    return this.#call(() => this.#inner.read(topic, after, limit));
  }

  heads(topics: readonly string[]): Promise<readonly (Head | null)[]> {
    return this.#call(() => this.#inner.heads(topics));
  }

  state(topic: string): Promise<TopicState | null> {
    return this.#call(() => this.#inner.state(topic));
  }

  subscribe(topic: string, listener: LogListener): () => void {
    const subscription: Subscription = { topic, listener, stop: () => {}, active: true };
    subscription.stop = this.#listen(subscription);
    this.#subscriptions.add(subscription);
    return () => {
      subscription.active = false;
      subscription.stop();
      this.#subscriptions.delete(subscription);
    };
  }

  onReconnect(listener: () => void): () => void {
    this.#reconnected.add(listener);
    const stop = this.#inner.onReconnect(listener);
    return () => {
      this.#reconnected.delete(listener);
      stop();
    };
  }

  close(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.active = false;
    return this.#inner.close();
  }

  #listen(subscription: Subscription): () => void {
    const tell = (published: Published): void => {
      if (subscription.active) subscription.listener(published);
    };
    return this.#inner.subscribe(subscription.topic, (published) => {
      if (this.#happens(this.faults.unheard)) return;
      for (let times = this.#happens(this.faults.doubled) ? 2 : 1; times > 0; times--) {
        if (this.#happens(this.faults.reordered)) this.#later(async () => tell(published));
        else tell(published);
      }
    });
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#happens(this.faults.delayed)) await this.#someTurns();
    if (this.#happens(this.faults.refused)) throw new ParleyError("UNAVAILABLE");
    const result = await work();
    if (this.#happens(this.faults.delayed)) await this.#someTurns();
    if (this.#happens(this.faults.lostReply)) throw new ParleyError("UNAVAILABLE");
    return result;
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }

  async #someTurns(): Promise<void> {
    for (let turns = 1 + Math.floor(this.#random() * 4); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Nobody waits for it; what it answers, also that the log is closed by then, is lost. */
  #later(work: () => Promise<unknown>): void {
    this.#someTurns()
      .then(work)
      .catch(() => {});
  }
}
