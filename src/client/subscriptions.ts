/**
 * Topics that the application wants to hear, over any number of connections [W5, W6].
 *
 *          subscribe                  answer
 *   absent ─────────▶ asking ──────────────────▶ joined ──▶ asking     gap, other epoch, resync, heartbeat differs
 *     ▲                 │ ▲ retry, reconnect       │
 *     │                 ▼ │                        │ the last handler left
 *     │  terminal     resting ── failed            ▼
 *     └──────────────────────────────────────── leaving
 *
 * One request of a topic is on its way at a time. A topic that asks again and again does so ever more slowly.
 */
import type { ErrorCode, ParleyError } from "../protocol/errors.ts";
import type { ParleyEvent } from "../protocol/events.ts";
import type { EventItem, Heartbeat } from "../protocol/frames.ts";
import type { Result } from "../protocol/methods.ts";
import type { ConversationSnapshot, Position, UserSnapshot } from "../protocol/shapes.ts";
import { fullJitter } from "./backoff.ts";
import { judge } from "./cursor.ts";
import type { Platform } from "./platform.ts";
import type { Outcome, RequestOptions } from "./requests.ts";

/** What the snapshot of a topic is, by the topic's name. */
export type SnapshotOf<Topic extends string> = Topic extends `conversation:${string}`
  ? ConversationSnapshot
  : Topic extends `user:${string}`
    ? UserSnapshot
    : ConversationSnapshot | UserSnapshot;

export interface EventMeta extends Position {
  /** When the server appended it, ISO 8601. */
  readonly ts: string;
}

export interface TopicHandlers<Snapshot = ConversationSnapshot | UserSnapshot> {
  /** What is known before is void; events go on from here. */
  snapshot(snapshot: Snapshot, position: Position): void;
  /** In order, each exactly once. */
  event(event: ParleyEvent, meta: EventMeta): void;
  /** The server refuses the topic. Nothing more follows, until `resubscribe`. */
  failed?(error: ParleyError): void;
}

export interface SubscribeOptions {
  /** Reads the conversation by a link to it. */
  readonly shareToken?: string | undefined;
}

export interface Subscription {
  readonly topic: string;
  /** Where it stands; undefined before the first answer. */
  readonly position: Position | undefined;
  /** Asks again: from where it stands, or, `fresh`, for a snapshot. Safe to call as often as one likes. */
  resubscribe(options?: { readonly fresh?: boolean }): void;
  /** Idempotent. Nothing is called any more. */
  close(): void;
}

/** How long the server may take to answer. */
export const SUBSCRIBE_MS = 20_000;
/** Asking again after this long without asking counts as the first time. */
const CALM_MS = 10_000;
/**
 * Errors that are final for a request but say nothing about the topic: the server's own fault, or a session that ended
 * meanwhile. A subscription outlives them, this often in a row.
 */
const PASSING: readonly ErrorCode[] = ["INTERNAL", "UNAUTHENTICATED", "SESSION_ENDED", "CANCELLED"];
const MAX_PASSING = 5;

type Stage = "absent" | "asking" | "joined" | "leaving" | "resting" | "failed";

interface Topic {
  readonly name: string;
  readonly handlers: Set<TopicHandlers>;
  /** Of the newest subscription. */
  shareToken: string | undefined;
  stage: Stage;
  position: Position | undefined;
  /** Ask (again) as soon as possible. */
  stale: boolean;
  /** Ask for a snapshot; until it comes, events are of no use. */
  fresh: boolean;
  askedAt: number;
  /** Times that it asked in a row. */
  asked: number;
  passingErrors: number;
  /** The server may be sending this topic on the present connection. */
  held: boolean;
  cancelRest: () => void;
}

type Start = (options: RequestOptions, settle: (outcome: Outcome) => void) => unknown;

export class Subscriptions {
  readonly #platform: Platform;
  readonly #start: Start;
  readonly #onJoined: (topic: string) => void;
  readonly #topics = new Map<string, Topic>();
  #online = false;
  #connection = 0;

  /** `onJoined` is told whenever the server sends a topic (again). */
  constructor(platform: Platform, start: Start, onJoined: (topic: string) => void) {
    this.#platform = platform;
    this.#onJoined = onJoined;
    this.#start = start;
  }

  subscribe(name: string, handlers: TopicHandlers, { shareToken }: SubscribeOptions = {}): Subscription {
    const known = this.#topics.get(name);
    const topic = known ?? this.#create(name);
    topic.shareToken = shareToken;
    // A guard of its own, so that the same handlers may be given twice and nothing is called after `close`.
    const entry: TopicHandlers = {
      snapshot: (snapshot, position) => handlers.snapshot(snapshot, position),
      event: (event, meta) => handlers.event(event, meta),
      failed: (error) => handlers.failed?.(error),
    };
    topic.handlers.add(entry);
    // Whoever comes later needs a snapshot too, and the others can stand one.
    this.#ask(topic, known !== undefined);
    return {
      topic: name,
      get position() {
        return topic.position;
      },
      resubscribe: (options) => {
        if (topic.handlers.has(entry)) this.#ask(topic, options?.fresh ?? false);
      },
      close: () => {
        if (topic.handlers.delete(entry)) this.#step(topic);
      },
    };
  }

  #create(name: string): Topic {
    const topic: Topic = {
      name,
      handlers: new Set(),
      shareToken: undefined,
      stage: "absent",
      position: undefined,
      stale: true,
      fresh: false,
      askedAt: -Infinity,
      asked: 0,
      passingErrors: 0,
      held: false,
      cancelRest: () => {},
    };
    this.#topics.set(name, topic);
    return topic;
  }

  online(): void {
    this.#online = true;
    this.#connection++;
    for (const topic of this.#topics.values()) this.#step(topic);
  }

  /** The server forgets the subscriptions of a connection; positions stay good. */
  offline(): void {
    this.#online = false;
    for (const topic of this.#topics.values()) {
      topic.cancelRest();
      topic.asked = 0;
      topic.held = false;
      if (topic.stage === "failed") continue;
      topic.stage = "absent";
      topic.stale = true;
      this.#step(topic);
    }
  }

  event(name: string, epoch: string, item: EventItem): void {
    const topic = this.#topics.get(name);
    // Without a position, or while a snapshot is on its way, events say nothing.
    if (topic?.position === undefined || topic.fresh) return;
    const { seq, fromSeq = seq, ts, event } = item;
    switch (judge(topic.position, epoch, seq, fromSeq)) {
      case "drop":
        return;
      case "gap":
        return this.#ask(topic, false);
      case "apply": {
        topic.position = { epoch, seq };
        const meta = { epoch, seq, ts };
        this.#tell(topic, (handlers) => handlers.event(event, meta));
      }
    }
  }

  /** [W9] Everything that was sent before it has been received: another position means that something was lost. */
  heartbeat({ positions }: Heartbeat): void {
    for (const topic of this.#topics.values()) {
      if (topic.stage !== "joined") continue;
      const sent = positions[topic.name];
      const same = sent?.epoch === topic.position?.epoch && sent?.seq === topic.position?.seq;
      if (!same) this.#ask(topic, false);
    }
  }

  resync(name: string): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    topic.held = false;
    this.#ask(topic, false);
  }

  #ask(topic: Topic, fresh: boolean): void {
    const fresher = fresh && topic.position !== undefined && !topic.fresh;
    if (fresher) topic.fresh = true;
    // The answer that is on its way heals whatever it was, but for the wish of a snapshot.
    if (topic.stage !== "asking" || fresher) topic.stale = true;
    if (topic.stage === "failed") topic.stage = "absent";
    this.#step(topic);
  }

  /** Does what its stage and wishes call for, if anything. */
  #step(topic: Topic): void {
    if (topic.stage === "asking" || topic.stage === "leaving") return;
    if (topic.handlers.size === 0) {
      topic.cancelRest();
      if (this.#online && topic.held) this.#leave(topic);
      else this.#topics.delete(topic.name);
      return;
    }
    if (!this.#online || !topic.stale || topic.stage === "resting" || topic.stage === "failed") return;
    const now = this.#platform.now();
    if (now - topic.askedAt > CALM_MS) topic.asked = 0;
    if (topic.asked === 0) this.#send(topic, now);
    else this.#rest(topic, fullJitter(topic.asked, this.#platform.random));
  }

  #rest(topic: Topic, delayMs: number): void {
    topic.stage = "resting";
    topic.cancelRest = this.#platform.timers.after(delayMs, () => {
      if (topic.stage === "resting" && this.#online) this.#send(topic, this.#platform.now());
    });
  }

  #send(topic: Topic, now: number): void {
    topic.stage = "asking";
    topic.stale = false;
    topic.askedAt = now;
    topic.asked++;
    topic.held = true;
    const [connection, position] = [this.#connection, topic.fresh ? undefined : topic.position];
    const { name, shareToken } = topic;
    const params = {
      topic: name,
      ...(position === undefined ? {} : { position }),
      ...(shareToken === undefined ? {} : { shareToken }),
    };
    this.#start(
      { method: "topic.subscribe", params, safety: "once", timeoutMs: SUBSCRIBE_MS, bound: true },
      (outcome) => {
        if (connection !== this.#connection || topic.stage !== "asking") return;
        if (outcome.ok) this.#joined(topic, outcome.result as Result<"topic.subscribe">);
        else this.#refused(topic, outcome.error);
      },
    );
  }

  #joined(topic: Topic, answer: Result<"topic.subscribe">): void {
    topic.stage = "joined";
    topic.passingErrors = 0;
    const { epoch, seq } = answer.position;
    if (answer.mode === "snapshot") {
      topic.position = answer.position;
      topic.fresh = false;
      topic.stale = false;
      this.#tell(topic, (handlers) => handlers.snapshot(answer.snapshot, answer.position));
    } else if (topic.position === undefined || judge(topic.position, epoch, seq, 0) !== "drop") {
      // It goes on from where this client has not been.
      topic.position = undefined;
      topic.stale = true;
    }
    this.#onJoined(topic.name);
    this.#step(topic);
  }

  #refused(topic: Topic, error: ParleyError): void {
    topic.stage = "absent";
    topic.stale = true;
    // An earlier subscription may still stand; where there was none, the server holds nothing now.
    if (topic.position === undefined) topic.held = false;
    if (topic.handlers.size === 0 || !this.#online) return this.#step(topic);
    const passing = PASSING.includes(error.code);
    if (passing) topic.passingErrors++;
    const again = error.retryable || (passing && topic.passingErrors <= MAX_PASSING);
    if (again) return this.#rest(topic, (error.retryAfterMs ?? 0) + fullJitter(topic.asked, this.#platform.random));
    topic.stage = "failed";
    this.#tell(topic, (handlers) => handlers.failed?.(error));
  }

  #leave(topic: Topic): void {
    topic.stage = "leaving";
    const connection = this.#connection;
    this.#start(
      {
        method: "topic.unsubscribe",
        params: { topic: topic.name },
        safety: "once",
        timeoutMs: SUBSCRIBE_MS,
        bound: true,
      },
      () => {
        // Refused or not: a subscription that lingers is dropped with the connection, and its events are ignored.
        if (connection !== this.#connection || topic.stage !== "leaving") return;
        topic.stage = "absent";
        topic.held = false;
        topic.position = undefined;
        topic.stale = true;
        topic.fresh = false;
        topic.asked = 0;
        this.#step(topic);
      },
    );
  }

  #tell(topic: Topic, say: (handlers: TopicHandlers) => void): void {
    for (const handlers of topic.handlers) {
      try {
        say(handlers);
      } catch (error) {
        this.#platform.log("error", `a handler of ${topic.name} threw`, error);
      }
    }
  }
}
