/** The event log of a deployment: any node writes, any node reads. Its layout is drawn in `event-log.redis-scripts.ts`. */
import {
  type Accumulator,
  type Append,
  type AppendResult,
  type EventLog,
  type Head,
  headAtOpen,
  type LogListener,
  type OpenRequest,
  type OpenResult,
  type Published,
  type ReadResult,
  type SealResult,
  type TopicState,
} from "../ports/event-log.ts";
import type { Logger } from "../ports/logger.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Position } from "../protocol/shapes.ts";
import { APPEND } from "./event-log.redis-append.ts";
import { decodeResults, encodeAppends } from "./event-log.redis-batch.ts";
import { decodeEntries, decodeKind, decodePublication, DeltaHeads, encodeKind } from "./event-log.redis-records.ts";
import { HEADS, LAYOUT, OPEN, READ, SEAL, STATE } from "./event-log.redis-scripts.ts";
import type { RedisConnections } from "./redis-connection.ts";
import { RedisScript } from "./redis-script.ts";
import { bucketOf } from "./redis-slot.ts";

const READ_BYTES = 256 * 1024;
/** Topics of one call for heads: the server does nothing else meanwhile. */
const MAX_HEADS = 250;
/** The expiry of a topic is set anew once a minute, so it is that much longer. */
const REFRESH_MS = 60_000;

const SCRIPTS = {
  append: new RedisScript(APPEND),
  heads: new RedisScript(HEADS),
  open: new RedisScript(OPEN),
  read: new RedisScript(READ),
  seal: new RedisScript(SEAL),
  state: new RedisScript(STATE),
};

export interface RedisEventLogOptions {
  readonly connections: RedisConnections;
  /** Before every key and channel: deployments on one Redis are told apart by it. */
  readonly keyPrefix: string;
  /** Told of listeners that throw. */
  readonly logger: Logger;
  readonly maxEvents?: number;
  /** Of stored records, in bytes. */
  readonly maxBytes?: number;
  /** A topic that nothing was appended to for this long is forgotten. */
  readonly idleMs?: number;
}

interface Subscription {
  readonly listener: LogListener;
  active: boolean;
}

/** The array of subscriptions is replaced, never changed. */
interface Channel {
  subscriptions: readonly Subscription[];
  readonly heads: DeltaHeads;
}

interface Bucket {
  /** Before every key and the channel: prefix and tag. */
  readonly prefix: string;
  readonly channel: string;
  /** Before each topic, in the key of its meta. */
  readonly topics: string;
  readonly meta: (topic: string) => string;
}

export class RedisEventLog implements EventLog {
  readonly #connections: RedisConnections;
  readonly #logger: Logger;
  readonly #buckets: readonly Bucket[];
  readonly #limits: readonly [ttl: string, maxEvents: string, maxBytes: string];
  readonly #channels = new Map<string, Channel>();
  readonly #stops: (() => void)[];
  #closed = false;

  constructor(options: RedisEventLogOptions) {
    const { connections, keyPrefix } = options;
    this.#connections = connections;
    this.#logger = options.logger;
    this.#limits = [
      String((options.idleMs ?? 3_600_000) + REFRESH_MS),
      String(options.maxEvents ?? 2000),
      String(options.maxBytes ?? 4 * 1024 * 1024),
    ];
    this.#buckets = Array.from({ length: connections.buckets }, (_, i) => {
      const prefix = `${keyPrefix}{b${i}}`;
      const topics = `${prefix}${LAYOUT}:`;
      return { prefix, channel: `${prefix}${LAYOUT}`, topics, meta: (topic) => `${topics}${topic}` };
    });
    this.#stops = this.#buckets.map(({ channel, topics }) =>
      connections.subscriber.listen(channel, (message) => this.#publish(message, topics)),
    );
  }

  async open({ topic, epoch, fence, accumulators, owner }: OpenRequest): Promise<OpenResult> {
    const brought = owner ? accumulators : [];
    const args = [epoch, String(fence), owner ? "1" : "0", String(headAtOpen(brought))];
    for (const { messageId, partIndex, part, text } of brought) {
      args.push(`${partIndex}:${messageId}`, encodeKind(part), String(text.length), text);
    }
    const answer = await this.#ask(SCRIPTS.open, topic, args);
    const state = decodeState(answer);
    const status = answer[0];
    return status === "EXISTS" || status === "FENCED" ? { ok: false, reason: status, state } : { ok: true, state };
  }

  async append(batch: readonly Append[]): Promise<readonly AppendResult[]> {
    this.#refuseWhenClosed();
    if (batch.length === 0) return [];
    const results: AppendResult[] = [];
    await Promise.all(
      this.#byBucket(batch).map(async ([{ prefix, channel, meta }, places]) => {
        const [ttl, maxEvents, maxBytes] = this.#limits;
        const call = encodeAppends(batch, places, meta);
        const args = [prefix, ttl, channel, maxEvents, maxBytes, call.body];
        const answer = await SCRIPTS.append.run(this.#connections, call.keys, args);
        decodeResults(textOf(answer), call, results);
      }),
    );
    return results;
  }

  async seal(topic: string, fence: number): Promise<SealResult> {
    const answer = await this.#ask(SCRIPTS.seal, topic, [String(fence)]);
    if (answer[0] === "NO_EPOCH") return { ok: false, reason: "NO_EPOCH" };
    if (answer.length === 2) return { ok: false, reason: "FENCED", fence: Number(answer[1]) };
    return { ok: true, state: decodeState(answer) };
  }

  async read(topic: string, after: Position, limit: number): Promise<ReadResult> {
    const args = [after.epoch, String(after.seq), String(limit), String(READ_BYTES)];
    const answer = await this.#ask(SCRIPTS.read, topic, args);
    const reason = answer[0];
    if (reason === "TRIMMED" || reason === "AHEAD" || reason === "WRONG_EPOCH" || reason === "NO_EPOCH") {
      return { ok: false, reason };
    }
    const entries = decodeEntries(textOf(answer[2] ?? ""), after.seq + 1);
    return { ok: true, entries: withinBytes(entries), head: Number(answer[1]) };
  }

  async heads(topics: readonly string[]): Promise<readonly (Head | null)[]> {
    this.#refuseWhenClosed();
    const heads: (Head | null)[] = topics.map(() => null);
    const buckets = this.#byBucket(topics.map((topic) => ({ topic })));
    await Promise.all(
      buckets.map(async ([{ prefix, meta }, places]) => {
        for (let from = 0; from < places.length; from += MAX_HEADS) {
          const some = places.slice(from, from + MAX_HEADS);
          const keys = some.map((place) => meta(topics[place] ?? ""));
          const answer = listOf(await SCRIPTS.heads.run(this.#connections, keys, [prefix, this.#limits[0]]));
          for (const [i, place] of some.entries()) heads[place] = decodeHead(textOf(answer[i]));
        }
      }),
    );
    return heads;
  }

  async state(topic: string): Promise<TopicState | null> {
    const answer = await this.#ask(SCRIPTS.state, topic, []);
    return answer[0] === "NO_EPOCH" ? null : decodeState(answer);
  }

  subscribe(topic: string, listener: LogListener): () => void {
    const subscription: Subscription = { listener, active: true };
    const channel = this.#channels.get(topic) ?? { subscriptions: [], heads: new DeltaHeads() };
    this.#channels.set(topic, channel);
    channel.subscriptions = [...channel.subscriptions, subscription];
    return () => {
      if (!subscription.active) return;
      subscription.active = false;
      channel.subscriptions = channel.subscriptions.filter((other) => other !== subscription);
      if (channel.subscriptions.length === 0 && this.#channels.get(topic) === channel) this.#channels.delete(topic);
    };
  }

  onReconnect(listener: () => void): () => void {
    const stop = this.#connections.subscriber.onReconnect(listener);
    this.#stops.push(stop);
    return stop;
  }

  /** The connections are their maker's to close. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#stops) stop();
    for (const { subscriptions } of this.#channels.values()) {
      for (const subscription of subscriptions) subscription.active = false;
    }
    this.#channels.clear();
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new ParleyError("UNAVAILABLE");
  }

  #bucket(topic: string): Bucket {
    const bucket = this.#buckets[bucketOf(topic, this.#buckets.length)];
    if (bucket === undefined) throw new Error("There are no buckets.");
    return bucket;
  }

  /** Each bucket that is needed, with the places of what lies in it. */
  #byBucket(items: readonly { readonly topic: string }[]): [Bucket, number[]][] {
    const buckets = new Map<Bucket, number[]>();
    for (const [place, { topic }] of items.entries()) {
      const bucket = this.#bucket(topic);
      const places = buckets.get(bucket);
      if (places === undefined) buckets.set(bucket, [place]);
      else places.push(place);
    }
    return [...buckets];
  }

  /** A script about one topic. */
  async #ask(script: RedisScript, topic: string, args: readonly string[]): Promise<readonly unknown[]> {
    this.#refuseWhenClosed();
    const { prefix, meta } = this.#bucket(topic);
    return listOf(await script.run(this.#connections, [meta(topic)], [prefix, this.#limits[0], ...args]));
  }

  #publish(message: string, prefix: string): void {
    decodePublication(
      message,
      prefix,
      (topic) => this.#channels.get(topic)?.heads,
      (topic, published) => this.#tell(topic, published),
    );
  }

  #tell(topic: string, published: Published): void {
    for (const subscription of this.#channels.get(topic)?.subscriptions ?? []) {
      if (!subscription.active) continue;
      try {
        subscription.listener(published);
      } catch (error) {
        this.#logger.error({ err: error, topic }, "A listener of the event log threw.");
      }
    }
  }
}

export const createRedisEventLog = (options: RedisEventLogOptions): RedisEventLog => new RedisEventLog(options);

/** The script counts a delta as its text; its JSON is longer. */
function withinBytes<Entry extends { readonly event: string }>(entries: readonly Entry[]): readonly Entry[] {
  let bytes = 0;
  for (const [i, { event }] of entries.entries()) {
    bytes += Buffer.byteLength(event);
    if (bytes > READ_BYTES && i > 0) return entries.slice(0, i);
  }
  return entries;
}

function decodeHead(text: string): Head | null {
  const [seq, fence, epoch] = text.split(" ");
  return epoch === undefined ? null : { epoch, seq: Number(seq), fence: Number(fence) };
}

function decodeState([, epoch, seq, fence, complete, ...parts]: readonly unknown[]): TopicState {
  const accumulators: Accumulator[] = [];
  for (let i = 0; i < parts.length; i += 3) {
    const name = textOf(parts[i]);
    const colon = name.indexOf(":");
    accumulators.push({
      messageId: name.slice(colon + 1),
      partIndex: Number(name.slice(0, colon)),
      part: decodeKind(textOf(parts[i + 1])),
      text: textOf(parts[i + 2]),
    });
  }
  return {
    epoch: textOf(epoch),
    seq: Number(seq),
    fence: Number(fence),
    accumulators,
    complete: complete === 1,
  };
}

function listOf(answer: unknown): readonly unknown[] {
  if (!Array.isArray(answer)) throw new Error("The log's script gave no list.");
  return answer;
}

function textOf(answer: unknown): string {
  if (typeof answer !== "string") throw new Error("The log's script gave no text.");
  return answer;
}
