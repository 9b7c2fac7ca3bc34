/**
 * The one who writes a run's events to its topic: fenced, numbered, in order.
 *
 *         start(state)                    NO_EPOCH, WRONG_EPOCH, HOLE, given up
 *   new ─▶ waiting ──────────▶ open ────────────────────────────────────────────▶ lost
 *             │                 ▲ └──── FENCED ──▶ fenced ◀──── FENCED ────────────┘ │
 *             │                 └──────── opened again, with all the text ──────────┤
 *             └── start(undefined) ─────────────────────────────────────────────────┘   close(): closed, from anywhere
 *
 * - `waiting`: the run may write, and the log has yet to be told that it begins. What it writes is kept, in order.
 * - `open`: the batcher asks for what is due. A call whose reply is lost is repeated by the batcher with the same
 *   numbers, which the log recognises [L3].
 * - `lost` [R8]: the log forgot the topic, or was away for long. The run goes on; its text is here. The topic is opened
 *   again with it in a fresh epoch, numbers start at 1 with a new writer id, and events that are not text are appended
 *   again. Calls of the old epoch that are still on their way are refused by the log.
 * - `fenced` [R4]: somebody else owns the run. Nothing is written any more.
 *
 * The order at the end of a run: the last event, `flush`, the commit, then the announcement of the commit, so that no
 * delta follows the terminal event [R11]. After a flush that failed, `close` first.
 */
import {
  type Accumulate,
  type Accumulator,
  type Append,
  type AppendIdentity,
  type AppendResult,
  type DeltaKey,
  type EventLog,
  type PartKind,
  TEXT,
  type TopicState,
} from "../ports/event-log.ts";
import type { Logger } from "../ports/logger.ts";
import { encodeDelta } from "../protocol/codec.ts";
import { cutText } from "../protocol/cut-part.ts";
import type { ParleyEvent } from "../protocol/events.ts";
import { uuidv7 } from "../protocol/id.ts";
import { type Backoff, DEFAULT_BACKOFF, pauseUnlessAborted, waitMs, withTimeLimit } from "./log-batcher-retry.ts";
import type { AppendBatch, Collected, LogBatcher, LogProducer } from "./log-batcher.ts";
import { encodeFitted } from "./outbox-fit-event.ts";
import { isContained, type QueuedEvent, type QueueSink, RunQueue } from "./run-writer-queue.ts";
import { MAX_PART, type RunPart, RunText } from "./run-writer-text.ts";

export type Written =
  | "written"
  /** The part has its 1 MiB; the rest of the delta was not taken. Stop the model. */
  | "length"
  /** Too many events wait for a log that is away; this one was not taken. Fail the run. */
  | "overflow"
  /** Fenced or closed; not taken. */
  | "ended";

export type FlushResult =
  /** Everything so far is in the log. */
  { readonly ok: true } | { readonly ok: false; readonly reason: "FENCED" | "UNAVAILABLE" | "CLOSED" };

export interface RunWriterOptions {
  readonly log: Pick<EventLog, "open">;
  readonly batcher: LogBatcher;
  readonly logger: Logger;
  readonly topic: string;
  readonly fence: number;
  /** Somebody else owns the run: stop at once. Called at most once. */
  readonly onFenced: () => void;
  /** Time limit of one attempt to open the topic again. */
  readonly openMs?: number;
  readonly backoff?: Backoff;
}

interface OpenState {
  readonly kind: "open";
  readonly epoch: string;
  readonly writer: string;
  /** The last number given out. */
  n: number;
}
type State = { readonly kind: "new" | "waiting" | "lost" | "fenced" | "closed" } | OpenState;

/** Events that wait while the log is away. */
const MAX_QUEUED = 1_000;
const REPLACEMENT = "\ufffd";

export class RunWriter implements LogProducer {
  readonly #options: RunWriterOptions;
  inTurn = false;
  readonly #queue = new RunQueue();
  readonly #closing = new AbortController();
  readonly #flushes = new Set<(result: FlushResult) => void>();
  #state: State = { kind: "new" };
  #text = new RunText();
  /** The part of the last delta. */
  #part: RunPart | undefined;
  /** Handed to the batcher, and not answered. */
  #unanswered = 0;
  /** Events among them that the log does not have, to be appended again in the next epoch. */
  #refused: QueuedEvent[] = [];
  /** Set while the queue is taken from. */
  #batch: AppendBatch | undefined;
  readonly #sink: QueueSink = {
    text: (part, offset, delta) => this.#addText(part, offset, delta),
    event: (event) => this.#addEvent(event),
  };

  constructor(options: RunWriterOptions) {
    this.#options = options;
  }

  /**
   * Once, before anything else. `state` is what `seal` or `open` answered; undefined when there is no topic or the log
   * is away: then the writer opens it. `own`: text of the run that is there already. Nothing is written before `after`,
   * which never rejects.
   */
  start(state: TopicState | undefined, own: readonly Accumulator[] = [], after?: Promise<void>): void {
    if (this.#state.kind !== "new") throw new Error("A run writer is started once.");
    this.#text = new RunText(own);
    this.#state = { kind: "waiting" };
    const begin = (): void => {
      if (this.#state.kind !== "waiting") return;
      if (state === undefined) this.#lose();
      else this.#open(state.epoch);
    };
    if (after === undefined) begin();
    else after.then(begin, begin);
  }

  /** The text of a part so far, whatever the log has of it. */
  textOf(messageId: string, partIndex: number): string {
    return this.#text.find(messageId, partIndex)?.text.toString() ?? "";
  }

  /**
   * Appends to a part: text, reasoning, or the JSON text of a call's arguments, as the event says that began it (text
   * where none did). Parts may grow at the same time. Half a surrogate pair and U+0000, which the store can't hold,
   * become U+FFFD.
   */
  text(messageId: string, partIndex: number, delta: string): Written {
    if (this.#ended) return "ended";
    let part = this.#part;
    if (part?.partIndex !== partIndex || part.messageId !== messageId) {
      part = this.#part = this.#text.part(messageId, partIndex);
    }
    return this.#write(part, wholeOf(part, delta));
  }

  /**
   * Any other event, after the text before it. Events that begin or cut a part do so in the accumulators; what others
   * do there stands in `accumulate`. An event that ends a part finishes it, and says the length that it has then.
   */
  event(event: ParleyEvent, accumulate: Accumulate | undefined = effectOf(event)): Written {
    if (this.#ended) return "ended";
    if (this.#queue.length >= MAX_QUEUED) return "overflow";
    const told = this.#finished(event);
    this.#part = undefined;
    if (accumulate !== undefined) this.#text.apply(accumulate);
    this.#queue.pushEvent(encodeFitted(told), accumulate);
    this.#schedule();
    return "written";
  }

  /** Resolves when everything so far is in the log, or can't be, or after `timeoutMs`. Rejects never. */
  flush(timeoutMs = 5_000): Promise<FlushResult> {
    const { promise, resolve } = Promise.withResolvers<FlushResult>();
    const finish = (result: FlushResult): void => {
      clearTimeout(timer);
      this.#flushes.delete(finish);
      resolve(result);
    };
    const timer = setTimeout(finish, timeoutMs, { ok: false, reason: "UNAVAILABLE" });
    this.#flushes.add(finish);
    this.#schedule();
    this.#settle();
    return promise;
  }

  /** Nothing more is written; what has not been flushed is dropped. The text stays. Idempotent. */
  close(): void {
    if (!this.#ended) this.#end("closed");
  }

  // ── called by the batcher ─────────────────────────────────────────────────────────────────────────────────────

  collect(batch: AppendBatch, now: number, due: boolean): Collected {
    if (this.#state.kind !== "open") return "empty";
    this.#batch = batch;
    const collected = this.#queue.take(this.#sink, now, due || this.#flushes.size > 0);
    this.#batch = undefined;
    return collected;
  }

  appended(append: Append, result: AppendResult): void {
    this.#unanswered--;
    if (result.ok) return this.#settle();
    switch (result.reason) {
      case "FENCED":
        return this.#fenced();
      case "NO_EPOCH":
      case "WRONG_EPOCH":
      case "HOLE":
        return this.#refuse(append);
    }
  }

  failed(append: Append): void {
    this.#unanswered--;
    this.#refuse(append);
  }

  #addText(part: RunPart, offset: number, delta: string): boolean {
    const state = this.#state;
    const batch = this.#batch;
    if (state.kind !== "open" || batch === undefined || batch.full) return false;
    const { messageId, partIndex } = part;
    batch.add(this, {
      topic: this.#options.topic,
      epoch: state.epoch,
      identity: this.#next(state),
      event: encodeDelta(part.head, offset, delta),
      accumulate: { kind: "extend", messageId, partIndex, offset, delta },
      delta: keyOf(part, offset, delta),
    });
    return true;
  }

  #addEvent({ event, accumulate }: QueuedEvent): boolean {
    const [state, batch] = [this.#state, this.#batch];
    if (state.kind !== "open" || batch === undefined || batch.full) return false;
    const append = { topic: this.#options.topic, epoch: state.epoch, identity: this.#next(state), event };
    batch.add(this, accumulate === undefined ? append : { ...append, accumulate });
    return true;
  }

  #next(state: OpenState): AppendIdentity {
    this.#unanswered++;
    return { writer: state.writer, n: ++state.n, fence: this.#options.fence };
  }

  // ── states ────────────────────────────────────────────────────────────────────────────────────────────────────

  get #ended(): boolean {
    if (this.#state.kind === "new") throw new Error("The run writer has not been started.");
    return this.#state.kind === "fenced" || this.#state.kind === "closed";
  }

  #open(epoch: string): void {
    this.#state = { kind: "open", epoch, writer: uuidv7(), n: 0 };
    this.#queue.restore(this.#refused.splice(0));
    this.#schedule();
    this.#settle();
  }

  #refuse({ event, accumulate }: Append): void {
    if (this.#ended) return;
    if (!isContained(accumulate)) this.#refused.push({ kind: "event", event, accumulate });
    if (this.#state.kind === "open") this.#lose();
  }

  #lose(): void {
    this.#state = { kind: "lost" };
    this.#reopen().catch((error: unknown) => {
      this.#options.logger.error({ err: error, topic: this.#options.topic }, "a topic could not be opened again");
      this.close();
    });
  }

  async #reopen(): Promise<void> {
    const { log, logger, topic, fence, openMs = 2_000, backoff = DEFAULT_BACKOFF } = this.#options;
    for (let failures = 0; this.#state.kind === "lost"; failures++) {
      this.#queue.dropContained();
      // Another epoch each time: whether the one before was opened is not known, nor what has been lost since.
      const request = { topic, epoch: uuidv7(), fence, accumulators: this.#text.accumulators(), owner: true };
      try {
        const result = await withTimeLimit(openMs, log.open(request));
        if (!this.#isLost()) return;
        if (result.ok) return this.#open(request.epoch);
        return this.#fenced();
      } catch (error) {
        if (failures === 0) logger.warn({ err: error, topic }, "the log is away; the run goes on without it");
      }
      await pauseUnlessAborted(waitMs(backoff, failures), this.#closing.signal);
    }
  }

  #isLost(): boolean {
    return this.#state.kind === "lost";
  }

  #fenced(): void {
    if (this.#ended) return;
    this.#end("fenced");
    this.#options.onFenced();
  }

  #end(kind: "fenced" | "closed"): void {
    this.#state = { kind };
    this.#closing.abort();
    this.#queue.clear();
    this.#refused = [];
    this.#settle();
  }

  #schedule(): void {
    if (this.#state.kind === "open") this.#options.batcher.schedule(this);
  }

  /** Answers those who wait in `flush`, if there is an answer. */
  #settle(): void {
    if (this.#flushes.size === 0) return;
    const result = this.#flushed();
    if (result !== undefined) for (const finish of this.#flushes) finish(result);
  }

  #flushed(): FlushResult | undefined {
    switch (this.#state.kind) {
      case "new":
      case "waiting":
      case "lost":
        return undefined;
      case "open":
        return this.#unanswered === 0 && this.#queue.length === 0 ? { ok: true } : undefined;
      case "fenced":
        return { ok: false, reason: "FENCED" };
      case "closed":
        return { ok: false, reason: "CLOSED" };
    }
  }

  // ── text ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #write(part: RunPart, delta: string): Written {
    const offset = part.text.length;
    const taken = cutText(delta, MAX_PART - offset);
    if (taken !== "") {
      part.text.append(taken);
      this.#queue.pushText(part, offset, taken);
      this.#schedule();
    }
    return taken.length === delta.length ? "written" : "length";
  }

  /** The other half does not come: the part has ended. */
  #replaceHalf(part: RunPart | undefined): void {
    if (part === undefined || part.half === "" || this.#ended) return;
    part.half = "";
    this.#write(part, REPLACEMENT);
  }

  #finished(event: ParleyEvent): ParleyEvent {
    const ends =
      event.type === "TEXT_MESSAGE_END" || event.type === "REASONING_MESSAGE_END" || event.type === "TOOL_CALL_END";
    const part = ends ? this.#text.find(event.messageId, event.partIndex) : undefined;
    if (!ends || part === undefined || part.half === "") return event;
    this.#replaceHalf(part);
    return { ...event, length: part.text.length };
  }
}

function keyOf({ kind, messageId, partIndex }: RunPart, offset: number, text: string): DeltaKey {
  return kind.type === "tool"
    ? { part: "tool", toolCallId: kind.toolCallId, messageId, partIndex, offset, text }
    : { part: kind.type, messageId, partIndex, offset, text };
}

/** Whole characters that the store can hold: what was kept back, and the delta without what it leaves unfinished. */
function wholeOf(part: RunPart, delta: string): string {
  if (part.half === "" && isStorable(delta)) return delta;
  let text = part.half + delta;
  part.half = "";
  const last = text.charCodeAt(text.length - 1);
  if (last >= 0xd800 && last <= 0xdbff) {
    part.half = text.slice(-1);
    text = text.slice(0, -1);
  }
  return text.toWellFormed().replaceAll("\0", REPLACEMENT);
}

/** Neither half a surrogate pair nor U+0000 is in it. True of nearly every delta; one with a pair is looked at closer. */
function isStorable(delta: string): boolean {
  for (let i = 0; i < delta.length; i++) {
    const unit = delta.charCodeAt(i);
    if (unit === 0 || (unit >= 0xd800 && unit <= 0xdfff)) return false;
  }
  return true;
}

/** What an event that begins or cuts a part does to the accumulators. Beginning one also makes them complete. */
function effectOf(event: ParleyEvent): Accumulate | undefined {
  if (event.type === "TEXT_MESSAGE_START") return begin(event, TEXT);
  if (event.type === "REASONING_MESSAGE_START") return begin(event, { type: "reasoning" });
  if (event.type === "TOOL_CALL_START") {
    return begin(event, { type: "tool", toolCallId: event.toolCallId, name: event.toolCallName });
  }
  if (event.type === "CUSTOM" && event.name === "message.reset") {
    const { messageId, partIndex, length } = event.value;
    return { kind: "reset", messageId, partIndex, length };
  }
  return undefined;
}

const begin = (
  { messageId, partIndex }: { readonly messageId: string; readonly partIndex: number },
  part: PartKind,
): Accumulate => ({ kind: "reset", messageId, partIndex, length: 0, part });
