/**
 * What this node hears from Redis: one connection (in a Cluster one for each master that has channels), whatever the
 * number of channels and listeners. Channels are shard channels (SSUBSCRIBE, SPUBLISH), which a single server has too.
 *
 *   link ── connecting ──ready──▶ subscribing ──all confirmed──▶ hearing ──▶ told: "you may have missed something"
 *              ▲                      │ refused                    │ closed, silent, slot moved
 *              └──────────────────────┴────────────────────────────┘
 */
import type { Redis } from "ioredis";
import type { Logger } from "../ports/logger.ts";
import { safeRedisError } from "./redis-errors.ts";

export type MessageListener = (message: string) => void;

export interface RedisSubscriberOptions {
  /** A new connection to the node that `place` named. */
  readonly connect: (node: string) => Redis;
  /** Ends it for good. */
  readonly release: (redis: Redis) => void;
  /** The node that a channel is heard from; undefined while that is not known. */
  readonly place: (channel: string) => string | undefined;
  /** The server says that a channel lives elsewhere: look again. */
  readonly misplaced: () => void;
  readonly logger: Logger;
  /** How often every connection is asked for a sign of life, and every channel for its place. */
  readonly checkMs: number;
}

interface Link {
  readonly redis: Redis;
  /** Subscribed, or about to be. */
  readonly asked: Set<string>;
  /** Of those, without an answer yet. */
  unanswered: number;
}

export class RedisSubscriber {
  readonly #options: RedisSubscriberOptions;
  readonly #links = new Map<string, Link>();
  readonly #channels = new Map<string, Set<MessageListener>>();
  readonly #reconnected = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(options: RedisSubscriberOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#check(), options.checkMs).unref();
  }

  /** Calls back with each message of a channel, best effort. Returns the way to stop. */
  listen(channel: string, listener: MessageListener): () => void {
    const listeners = this.#channels.get(channel) ?? new Set();
    listeners.add(listener);
    this.#channels.set(channel, listeners);
    this.#arrange();
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#channels.delete(channel);
      this.#arrange();
    };
  }

  /** Calls back when channels are heard that were not heard for a while, also the first time. Returns the way to stop. */
  onReconnect(listener: () => void): () => void {
    this.#reconnected.add(listener);
    return () => this.#reconnected.delete(listener);
  }

  /** Every channel is confirmed by its server. */
  get hearing(): boolean {
    for (const channel of this.#channels.keys()) {
      const node = this.#options.place(channel);
      const link = node === undefined ? undefined : this.#links.get(node);
      if (link === undefined || link.unanswered > 0 || !link.asked.has(channel)) return false;
    }
    return true;
  }

  /** The nodes have moved. */
  rearrange(): void {
    this.#arrange();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const { redis } of this.#links.values()) this.#options.release(redis);
    this.#links.clear();
  }

  /** Brings connections and subscriptions to where the channels are. */
  #arrange(): void {
    if (this.#closed) return;
    const wanted = new Map<string, string[]>();
    for (const channel of this.#channels.keys()) {
      const node = this.#options.place(channel);
      if (node === undefined) continue;
      const there = wanted.get(node);
      if (there === undefined) wanted.set(node, [channel]);
      else there.push(channel);
    }
    for (const [node, link] of this.#links) {
      if (wanted.has(node)) continue;
      this.#links.delete(node);
      this.#options.release(link.redis);
    }
    for (const [node, channels] of wanted) this.#subscribe(this.#links.get(node) ?? this.#connect(node), channels);
  }

  #connect(node: string): Link {
    const link: Link = { redis: this.#options.connect(node), asked: new Set(), unanswered: 0 };
    this.#links.set(node, link);
    link.redis.on("ready", () => this.#arrange());
    link.redis.on("close", () => {
      link.asked.clear();
      link.unanswered = 0;
    });
    link.redis.on("sunsubscribe", (channel: string) => {
      if (link.asked.delete(channel)) this.#options.misplaced();
    });
    link.redis.on("smessage", (channel: string, message: string) => this.#tell(channel, message));
    return link;
  }

  #subscribe(link: Link, channels: readonly string[]): void {
    if (link.redis.status !== "ready") return;
    for (const channel of link.asked) {
      if (channels.includes(channel)) continue;
      link.asked.delete(channel);
      link.redis.sunsubscribe(channel).catch((error: unknown) => this.#refused(link, error));
    }
    for (const channel of channels) {
      if (link.asked.has(channel)) continue;
      link.asked.add(channel);
      link.unanswered++;
      link.redis.ssubscribe(channel).then(
        () => this.#confirmed(link),
        (error: unknown) => this.#refused(link, error),
      );
    }
  }

  #confirmed(link: Link): void {
    if (link.unanswered === 0 || --link.unanswered > 0) return;
    for (const listener of this.#reconnected) this.#guard(listener);
  }

  /** A connection that does not do what it was asked is given up; the next one begins anew. */
  #refused(link: Link, error: unknown): void {
    if (this.#closed) return;
    this.#options.logger.debug(
      { err: safeRedisError(error) },
      "A subscription to Redis was refused; it is tried again.",
    );
    this.#options.misplaced();
    link.redis.disconnect(true);
  }

  /** A subscriber sends nothing, so a connection that died silently is noticed only by asking. */
  #check(): void {
    for (const link of this.#links.values()) {
      if (link.redis.status === "ready") link.redis.ping().catch((error: unknown) => this.#refused(link, error));
    }
    this.#arrange();
  }

  #tell(channel: string, message: string): void {
    for (const listener of this.#channels.get(channel) ?? []) this.#guard(() => listener(message));
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.logger.error({ err: error }, "A listener of Redis threw.");
    }
  }
}
