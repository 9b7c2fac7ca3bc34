/**
 * Messages, edits and wishes for another answer, on their way to the server. Each carries its `idempotencyKey` from the moment it is written, so that it can
 * be sent as often as needed and has one effect [W10]; with a storage it outlives the page. Those of a conversation
 * leave in their order, one at a time.
 *
 *   queued ──▶ sending ──▶ accepted     queued again: the server could not take it now, or the connection was lost
 *     ▲           │
 *     └───────────┴──────▶ refused      the server will not take it; `retry` or `discard`
 */
import { type ErrorCode, ParleyError } from "../protocol/errors.ts";
import { uuidv7 } from "../protocol/id.ts";
import type { Result } from "../protocol/methods.ts";
import type { WhenBusy } from "../protocol/methods/chat.ts";
import type { FilePart } from "../protocol/shapes.ts";
import { fullJitter } from "./backoff.ts";
import { Emitter } from "./emitter.ts";
import { deliver, type SendCall, type StoredMessage, type Target } from "./outbox-message.ts";
import type { Platform } from "./platform.ts";

type Awaitable<T> = T | Promise<T>;

/**
 * Keeps unsent messages over a reload. One entry a message, so that two tabs that share it do not overwrite each other;
 * if both send the same message, it is one message all the same.
 */
export interface OutboxStorage {
  load(): Awaitable<readonly StoredMessage[]>;
  save(message: StoredMessage): Awaitable<void>;
  remove(clientMessageId: string): Awaitable<void>;
}

export type Delivery =
  /** `error`: why the last try came to nothing. */
  | { readonly state: "queued"; readonly error?: ParleyError }
  | { readonly state: "sending" }
  | ({ readonly state: "accepted"; readonly run: Result<"chat.send">["state"] } & Omit<Result<"chat.send">, "state">)
  | { readonly state: "refused"; readonly error: ParleyError };

export interface OutboxItem extends StoredMessage {
  readonly delivery: Delivery;
}

export interface EditOptions {
  readonly model?: string;
  /** What `files.upload` gave, at most 10. */
  readonly files?: readonly FilePart[];
}

export interface SendOptions extends EditOptions {
  /** `queue`, unless said otherwise. */
  readonly whenBusy?: WhenBusy;
}

export interface Sent {
  readonly clientMessageId: string;
  readonly idempotencyKey: string;
}

export interface Outbox {
  /** Oldest first. The array is replaced, never changed; an item is replaced when its delivery changes. */
  readonly items: readonly OutboxItem[];
  /** Called after each change. The answer unsubscribes. */
  subscribe(listener: (items: readonly OutboxItem[]) => void): () => void;
  /** Throws QUEUE_FULL when 100 messages wait already. */
  send(conversationId: string, text: string, options?: SendOptions): Sent;
  /** Says something else in place of a message: another branch. Throws as `send`. */
  edit(conversationId: string, messageId: string, text: string, options?: EditOptions): Sent;
  /** Asks for another answer beside this one. Throws as `send`. */
  regenerate(conversationId: string, messageId: string, options?: Pick<SendOptions, "model">): Sent;
  /** Asks again what a run that failed or was stopped did not answer. Throws as `send`. */
  retryRun(conversationId: string, runId: string): Sent;
  /** Sends a refused one again, and one that waits for its next try at once. */
  retry(clientMessageId: string): void;
  /** Takes it back; false when it may have reached the server already. */
  discard(clientMessageId: string): boolean;
}

/** Messages without a verdict; one more is refused with QUEUE_FULL. */
export const MAX_UNSENT = 100;
/** Accepted and refused ones that are remembered, each. */
const MAX_DECIDED = 50;

/** A failure that is about the connection or the session, not about the message: it waits. */
const WAITS: readonly ErrorCode[] = ["UNAUTHENTICATED", "SESSION_ENDED", "CANCELLED"];
/** The sender asked not to wait. */
const REFUSES: readonly ErrorCode[] = ["BUSY"];

interface OutboxPorts {
  readonly platform: Platform;
  readonly storage: OutboxStorage | undefined;
  readonly call: SendCall;
  /** Undefined while nobody is known to be signed in. */
  readonly userId: () => string | undefined;
}

interface Lane {
  busy: boolean;
  /** Consecutive failures of the message at its front. */
  failures: number;
  cancelRest: (() => void) | undefined;
}

const isUnsent = ({ delivery }: OutboxItem): boolean => delivery.state === "queued" || delivery.state === "sending";

export class MessageOutbox implements Outbox {
  readonly #ports: OutboxPorts;
  readonly #changes: Emitter<readonly OutboxItem[]>;
  /** By conversation; only those that have unsent messages. */
  readonly #lanes = new Map<string, Lane>();
  #items: readonly OutboxItem[] = [];
  #online = false;

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
    this.#changes = new Emitter(ports.platform.log);
    this.#load();
  }

  get items(): readonly OutboxItem[] {
    return this.#items;
  }

  get unsent(): number {
    return this.#items.filter(isUnsent).length;
  }

  subscribe(listener: (items: readonly OutboxItem[]) => void): () => void {
    return this.#changes.subscribe(listener);
  }

  send(conversationId: string, text: string, options: SendOptions = {}): Sent {
    return this.#add(conversationId, text, options);
  }

  edit(conversationId: string, messageId: string, text: string, options: EditOptions = {}): Sent {
    return this.#add(conversationId, text, options, { kind: "edit", messageId });
  }

  regenerate(conversationId: string, messageId: string, options: Pick<SendOptions, "model"> = {}): Sent {
    return this.#add(conversationId, "", options, { kind: "regenerate", messageId });
  }

  retryRun(conversationId: string, runId: string): Sent {
    return this.#add(conversationId, "", {}, { kind: "retry", runId });
  }

  #add(conversationId: string, text: string, { model, whenBusy, files }: SendOptions, target?: Target): Sent {
    if (this.unsent >= MAX_UNSENT) {
      throw new ParleyError("QUEUE_FULL", { message: `${MAX_UNSENT} messages wait to be sent already.` });
    }
    const now = this.#ports.platform.now();
    const userId = this.#ports.userId();
    const message: StoredMessage = {
      clientMessageId: uuidv7(now),
      idempotencyKey: uuidv7(now),
      conversationId,
      text,
      ...(target === undefined ? {} : { target }),
      ...(files === undefined || files.length === 0 ? {} : { files }),
      ...(model === undefined ? {} : { model }),
      ...(whenBusy === undefined ? {} : { whenBusy }),
      createdAt: new Date(now).toISOString(),
      ...(userId === undefined ? {} : { userId }),
    };
    this.#store(message);
    this.#set([...this.#items, { ...message, delivery: { state: "queued" } }]);
    this.#pump(conversationId);
    return { clientMessageId: message.clientMessageId, idempotencyKey: message.idempotencyKey };
  }

  retry(clientMessageId: string): void {
    const item = this.#find(clientMessageId);
    if (item === undefined || (item.delivery.state !== "refused" && item.delivery.state !== "queued")) return;
    if (item.delivery.state === "refused") {
      const { delivery: _, ...message } = item;
      this.#store(message);
      // Behind what was written since: that may have left already.
      this.#set([...this.#items.filter((other) => other !== item), { ...message, delivery: { state: "queued" } }]);
    }
    const lane = this.#lanes.get(item.conversationId);
    lane?.cancelRest?.();
    if (lane !== undefined) lane.cancelRest = undefined;
    this.#pump(item.conversationId);
  }

  discard(clientMessageId: string): boolean {
    const item = this.#find(clientMessageId);
    if (item === undefined) return true;
    const { delivery } = item;
    // A queued one that failed before may have had its effect without our hearing of it.
    const reached =
      delivery.state === "sending" ||
      delivery.state === "accepted" ||
      (delivery.state === "queued" && delivery.error !== undefined);
    if (reached) return false;
    this.#forget(clientMessageId);
    this.#set(this.#items.filter((other) => other !== item));
    return true;
  }

  /** Somebody is signed in and connected. */
  online(): void {
    this.#online = true;
    const userId = this.#ports.userId();
    const own = this.#items.filter((item) => item.userId === undefined || item.userId === userId);
    // Those of others stay in the storage, for them.
    if (own.length < this.#items.length) this.#set(own);
    for (const lane of this.#lanes.values()) {
      lane.cancelRest?.();
      lane.cancelRest = undefined;
      lane.failures = 0;
    }
    for (const conversationId of new Set(this.#items.map((item) => item.conversationId))) this.#pump(conversationId);
  }

  offline(): void {
    this.#online = false;
  }

  /** Messages stay where they are stored. */
  close(): void {
    this.#online = false;
    for (const lane of this.#lanes.values()) lane.cancelRest?.();
    this.#lanes.clear();
  }

  #find(clientMessageId: string): OutboxItem | undefined {
    return this.#items.find((item) => item.clientMessageId === clientMessageId);
  }

  #pump(conversationId: string): void {
    if (!this.#online) return;
    const lane = this.#lanes.get(conversationId) ?? { busy: false, failures: 0, cancelRest: undefined };
    if (lane.busy || lane.cancelRest !== undefined) return;
    const next = this.#items.find((item) => item.conversationId === conversationId && item.delivery.state === "queued");
    if (next === undefined) {
      this.#lanes.delete(conversationId);
      return;
    }
    this.#lanes.set(conversationId, lane);
    lane.busy = true;
    this.#deliver(next, { state: "sending" });
    deliver(this.#ports.call, next).then(
      ({ state, ...accepted }) => {
        lane.failures = 0;
        this.#forget(next.clientMessageId);
        this.#done(lane, next, { state: "accepted", run: state, ...accepted });
      },
      (error: unknown) => this.#failed(lane, next, error),
    );
  }

  #failed(lane: Lane, item: OutboxItem, cause: unknown): void {
    const error = cause instanceof ParleyError ? cause : new ParleyError("INTERNAL", { cause });
    const waits = WAITS.includes(error.code) || (error.retryable && !REFUSES.includes(error.code));
    if (!waits) {
      lane.failures = 0;
      this.#forget(item.clientMessageId);
      return this.#done(lane, item, { state: "refused", error });
    }
    if (this.#online) {
      const { timers, random } = this.#ports.platform;
      lane.cancelRest = timers.after((error.retryAfterMs ?? 0) + fullJitter(++lane.failures, random), () => {
        lane.cancelRest = undefined;
        this.#pump(item.conversationId);
      });
    }
    this.#done(lane, item, { state: "queued", error });
  }

  #done(lane: Lane, item: OutboxItem, delivery: Delivery): void {
    lane.busy = false;
    this.#deliver(item, delivery);
    this.#pump(item.conversationId);
  }

  #deliver({ clientMessageId }: OutboxItem, delivery: Delivery): void {
    const items = this.#items.map((item) => (item.clientMessageId === clientMessageId ? { ...item, delivery } : item));
    this.#set(trim(trim(items, "accepted"), "refused"));
  }

  #set(items: readonly OutboxItem[]): void {
    this.#items = items;
    this.#changes.emit(items);
  }

  #load(): void {
    const { storage, platform } = this.#ports;
    if (storage === undefined) return;
    const restore = (messages: readonly StoredMessage[]): void => {
      const known = new Set(this.#items.map((item) => item.clientMessageId));
      const earlier = messages
        .filter((message) => !known.has(message.clientMessageId))
        .toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0))
        .slice(0, MAX_UNSENT)
        .map((message): OutboxItem => ({ ...message, delivery: { state: "queued" } }));
      if (earlier.length === 0) return;
      this.#set([...earlier, ...this.#items]);
      if (this.#online) this.online();
    };
    attempt(
      () => storage.load(),
      restore,
      (error) => platform.log("error", "unsent messages could not be loaded", error),
    );
  }

  #store(message: StoredMessage): void {
    const { storage, platform } = this.#ports;
    if (storage === undefined) return;
    attempt(
      () => storage.save(message),
      () => {},
      (error) => platform.log("error", "a message could not be stored", error),
    );
  }

  #forget(clientMessageId: string): void {
    const { storage, platform } = this.#ports;
    if (storage === undefined) return;
    attempt(
      () => storage.remove(clientMessageId),
      () => {},
      (error) => platform.log("error", "a sent message could not be removed", error),
    );
  }
}

/** At once where the storage answers at once, so that nothing is unstored when `send` returns. */
function attempt<T>(work: () => Awaitable<T>, done: (value: T) => void, failed: (error: unknown) => void): void {
  try {
    const value = work();
    if (value instanceof Promise) value.then(done, failed);
    else done(value);
  } catch (error) {
    failed(error);
  }
}

/** Keeps the newest of those that are decided. */
function trim(items: readonly OutboxItem[], state: Delivery["state"]): readonly OutboxItem[] {
  let excess = items.filter(({ delivery }) => delivery.state === state).length - MAX_DECIDED;
  return excess <= 0 ? items : items.filter(({ delivery }) => delivery.state !== state || excess-- <= 0);
}
