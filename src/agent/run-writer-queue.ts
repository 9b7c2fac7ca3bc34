/**
 * What a run has yet to hand to the log, in order: events, and between them text that is still growing.
 *
 *   [ START ][ text of part 0 … ][ START ][ START ][ text of part 1 … ][ text of part 2 …
 *                                                    ▲ these grow until they are taken or an event follows
 *
 * Several parts grow at once where a model makes calls in parallel: each has one item, however their deltas alternate.
 */
import type { Accumulate } from "../ports/event-log.ts";
import { cutText } from "../protocol/cut-part.ts";
import type { Collected } from "./log-batcher.ts";
import type { RunPart } from "./run-writer-text.ts";

/**
 * UTF-16 units of one delta. A unit is at most six bytes of JSON (an escaped control character), so the event stays
 * below 64 KiB whatever the text is.
 */
const MAX_DELTA = 10_000;
/** A delta of that many units waits for no more [L5]. */
const FULL_DELTA = 1024;
/** Turns with text closer than this make deltas wait: 100 a second [L5]. */
const FAST_MS = 10;
/** A pause counts as no more than this, so that a fast model is fast again soon after it. */
const PAUSE_MS = 100;
/** How much of the average the newest interval makes up. */
const WEIGHT = 1 / 8;

export interface QueuedEvent {
  readonly kind: "event";
  readonly event: string;
  readonly accumulate: Accumulate | undefined;
}

interface QueuedText {
  readonly kind: "text";
  part: RunPart;
  /** UTF-16 length of the part before `text`. */
  offset: number;
  text: string;
}

/** Where the queue goes; false when it takes no more now. */
export interface QueueSink {
  text(part: RunPart, offset: number, delta: string): boolean;
  event(event: QueuedEvent): boolean;
}

/** Is its effect in the accumulators with which a topic is opened again? Deltas, and events that begin or cut a part. */
export const isContained = (accumulate: Accumulate | undefined): boolean =>
  accumulate?.kind === "extend" || accumulate?.kind === "reset";

export class RunQueue {
  #items: (QueuedEvent | QueuedText)[] = [];
  /** An item that was handed over whole, to be used again: one object a run, not one a token. */
  #spare: QueuedText | undefined;
  #fresh = false;
  #arrivedAt = -Infinity;
  /** Average milliseconds between turns that bring text. */
  #interval = 2 * FAST_MS;

  get length(): number {
    return this.#items.length;
  }

  pushText(part: RunPart, offset: number, delta: string): void {
    this.#fresh = true;
    const items = this.#items;
    for (let i = items.length - 1; i >= 0; i--) {
      const item = items[i];
      if (item?.kind !== "text") break;
      if (item.part === part) {
        item.text += delta;
        return;
      }
    }
    const item = this.#spare ?? { kind: "text", part, offset, text: delta };
    this.#spare = undefined;
    item.part = part;
    item.offset = offset;
    item.text = delta;
    items.push(item);
  }

  pushEvent(event: string, accumulate: Accumulate | undefined): void {
    this.#items.push({ kind: "event", event, accumulate });
  }

  /** Forgets what the accumulators of this moment contain. What follows is kept apart from it. */
  dropContained(): void {
    this.#items = this.#items.filter((item) => item.kind === "event" && !isContained(item.accumulate));
  }

  /** Puts events back that were taken and not stored. */
  restore(events: readonly QueuedEvent[]): void {
    this.#items.unshift(...events);
  }

  clear(): void {
    this.#items = [];
  }

  /** Hands over what is due. Without `due`, text that may merge with more to come waits. */
  take(sink: QueueSink, now: number, due: boolean): Collected {
    this.#measure(now);
    const items = this.#items;
    const end = due ? items.length : this.#waiting();
    let taken = 0;
    let outcome: Collected = end < items.length ? "held" : "empty";
    for (; taken < end; taken++) {
      const item = items[taken];
      if (item !== undefined && !(item.kind === "text" ? handOver(item, sink) : sink.event(item))) {
        outcome = "more";
        break;
      }
    }
    if (taken < items.length) items.splice(0, taken);
    else if (taken === 1) this.#takenOne();
    else this.clear();
    return outcome;
  }

  /** Once per token: a new array or item each time would be much of a token's garbage. */
  #takenOne(): void {
    const item = this.#items.pop();
    if (item?.kind === "text") this.#spare = item;
  }

  /** Index of the first item that waits: those that grow, all or none. */
  #waiting(): number {
    const items = this.#items;
    if (this.#interval >= FAST_MS) return items.length;
    for (let i = items.length; i > 0; i--) {
      const item = items[i - 1];
      if (item?.kind !== "text") return i;
      if (!item.part.begun || item.text.length >= FULL_DELTA) return items.length;
    }
    return 0;
  }

  #measure(now: number): void {
    if (!this.#fresh) return;
    this.#fresh = false;
    this.#interval += (Math.min(now - this.#arrivedAt, PAUSE_MS) - this.#interval) * WEIGHT;
    this.#arrivedAt = now;
  }
}

/** Hands over a text in deltas of bounded size; false when some of it is left. */
function handOver(item: QueuedText, sink: QueueSink): boolean {
  while (item.text.length > 0) {
    const delta = cutText(item.text, MAX_DELTA);
    if (!sink.text(item.part, item.offset, delta)) return false;
    item.part.begun = true;
    item.offset += delta.length;
    item.text = item.text.slice(delta.length);
  }
  return true;
}
