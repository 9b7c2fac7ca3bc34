import type {
  Append,
  AppendResult,
  EventLog,
  Head,
  LogListener,
  OpenRequest,
  OpenResult,
  ReadResult,
  SealResult,
  TopicState,
} from "../ports/event-log.ts";
import type { Logger } from "../ports/logger.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Position } from "../protocol/shapes.ts";
import type { Retention } from "./event-log.memory-entries.ts";
import { MemoryTopic } from "./event-log.memory-topic.ts";

const READ_BYTES = 256 * 1024;
const NO_EPOCH = { ok: false, reason: "NO_EPOCH" } as const;

export interface MemoryEventLogOptions extends Partial<Retention> {
  /** A topic without an append for this long is forgotten; with subscribers, only its entries are. */
  readonly idleMs?: number;
  /** How often idle topics are looked for; one that is asked for is noticed at once. */
  readonly sweepMs?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Told of listeners that throw. */
  readonly logger?: Logger;
}

interface Subscription {
  readonly listener: LogListener;
  active: boolean;
}

/** Kept while there is a topic or a subscriber. The array of subscriptions is replaced, never changed. */
interface Channel {
  topic: MemoryTopic | undefined;
  subscriptions: readonly Subscription[];
}

/** The event log of a single process. Every call does its work before it returns its promise, so calls are atomic. */
export class MemoryEventLog implements EventLog {
  readonly #channels = new Map<string, Channel>();
  readonly #retention: Retention;
  readonly #idleMs: number;
  readonly #now: () => number;
  readonly #logger: Logger | undefined;
  readonly #sweeper: NodeJS.Timeout;
  /** Topics whose new entries subscribers have yet to hear of, in order. */
  readonly #unpublished: Channel[] = [];
  #publishing = false;
  #closed = false;

  constructor(options: MemoryEventLogOptions = {}) {
    this.#retention = {
      maxEvents: options.maxEvents ?? 2000,
      maxBytes: options.maxBytes ?? 4 * 1024 * 1024,
    };
    this.#idleMs = options.idleMs ?? 3_600_000;
    this.#now = options.now ?? Date.now;
    this.#logger = options.logger;
    this.#sweeper = setInterval(() => this.#sweep(), options.sweepMs ?? 60_000).unref();
  }

  async open(request: OpenRequest): Promise<OpenResult> {
    const now = this.#begin();
    const standing = this.#topic(request.topic, now);
    if (standing !== undefined) {
      const state = standing.state();
      if (request.owner && request.fence < standing.fence) return { ok: false, reason: "FENCED", state };
      if (request.epoch === standing.epoch) return { ok: true, state };
      if (!request.owner) return { ok: false, reason: "EXISTS", state };
    }
    const topic = new MemoryTopic(request, this.#retention, now);
    const channel = this.#channel(request.topic);
    channel.topic = topic;
    topic.heard = channel.subscriptions.length > 0;
    return { ok: true, state: topic.state() };
  }

  async append(batch: readonly Append[]): Promise<readonly AppendResult[]> {
    const now = this.#begin();
    const moment = { time: now, ts: new Date(now).toISOString() };
    const results: AppendResult[] = [];
    for (const append of batch) {
      const channel = this.#channels.get(append.topic);
      const topic = channel === undefined ? undefined : this.#live(append.topic, channel, now);
      if (channel === undefined || topic === undefined) {
        results.push(NO_EPOCH);
        continue;
      }
      const result = topic.append(append, moment);
      results.push(result);
      if (!result.ok || result.duplicate) continue;
      topic.usedAt = now;
      if (topic.news !== undefined && topic.news.length === 1) this.#unpublished.push(channel);
    }
    this.#publish();
    return results;
  }

  async seal(name: string, fence: number): Promise<SealResult> {
    const now = this.#begin();
    const topic = this.#topic(name, now);
    if (topic === undefined) return NO_EPOCH;
    if (topic.fence > fence) return { ok: false, reason: "FENCED", fence: topic.fence };
    topic.fence = fence;
    topic.usedAt = now;
    return { ok: true, state: topic.state() };
  }

  async read(name: string, after: Position, limit: number): Promise<ReadResult> {
    const topic = this.#topic(name, this.#begin());
    if (topic === undefined) return NO_EPOCH;
    if (topic.epoch !== after.epoch) return { ok: false, reason: "WRONG_EPOCH" };
    const { entries } = topic;
    if (after.seq > entries.head) return { ok: false, reason: "AHEAD" };
    if (after.seq + 1 < entries.first) return { ok: false, reason: "TRIMMED" };
    return { ok: true, entries: entries.from(after.seq + 1, limit, READ_BYTES), head: entries.head };
  }

  async heads(names: readonly string[]): Promise<readonly (Head | null)[]> {
    const now = this.#begin();
    return names.map((name) => {
      const topic = this.#topic(name, now);
      return topic === undefined ? null : { epoch: topic.epoch, seq: topic.entries.head, fence: topic.fence };
    });
  }

  async state(name: string): Promise<TopicState | null> {
    return this.#topic(name, this.#begin())?.state() ?? null;
  }

  subscribe(name: string, listener: LogListener): () => void {
    const subscription: Subscription = { listener, active: true };
    const channel = this.#channel(name);
    // Not by spreading, which leaves room for sixteen more.
    channel.subscriptions = channel.subscriptions.concat(subscription);
    if (channel.topic !== undefined) channel.topic.heard = true;
    return () => {
      if (!subscription.active) return;
      subscription.active = false;
      const current = this.#channel(name);
      current.subscriptions = current.subscriptions.filter((other) => other !== subscription);
      if (current.topic !== undefined) current.topic.heard = current.subscriptions.length > 0;
      if (current.subscriptions.length === 0 && current.topic === undefined) this.#channels.delete(name);
    };
  }

  /** Nothing lies between it and its listeners. */
  onReconnect(): () => void {
    return () => undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeper);
    for (const { subscriptions } of this.#channels.values()) {
      for (const subscription of subscriptions) subscription.active = false;
    }
    this.#channels.clear();
  }

  /** The time of a call; a closed log takes none. */
  #begin(): number {
    if (this.#closed) throw new ParleyError("UNAVAILABLE");
    return this.#now();
  }

  #channel(name: string): Channel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = { topic: undefined, subscriptions: [] };
      this.#channels.set(name, channel);
    }
    return channel;
  }

  #topic(name: string, now: number): MemoryTopic | undefined {
    const channel = this.#channels.get(name);
    return channel === undefined ? undefined : this.#live(name, channel, now);
  }

  #live(name: string, channel: Channel, now: number): MemoryTopic | undefined {
    if (channel.topic !== undefined && now - channel.topic.usedAt > this.#idleMs) {
      this.#expire(name, channel, channel.topic);
    }
    return channel.topic;
  }

  #expire(name: string, channel: Channel, topic: MemoryTopic): void {
    if (channel.subscriptions.length > 0) return topic.clear();
    channel.topic = undefined;
    this.#channels.delete(name);
  }

  #sweep(): void {
    const now = this.#now();
    for (const name of this.#channels.keys()) this.#topic(name, now);
  }

  /** A listener may append: what that adds is published after what is being published, to everybody in one order. */
  #publish(): void {
    if (this.#publishing) return;
    this.#publishing = true;
    for (const { topic, subscriptions } of this.#unpublished) {
      if (topic?.news === undefined) continue;
      const published = { epoch: topic.epoch, entries: topic.news };
      topic.news = undefined;
      for (const subscription of subscriptions) {
        if (!subscription.active) continue;
        try {
          subscription.listener(published);
        } catch (error) {
          this.#logger?.error({ err: error, topic: topic.name }, "A listener of the event log threw.");
        }
      }
    }
    this.#unpublished.length = 0;
    this.#publishing = false;
  }
}
