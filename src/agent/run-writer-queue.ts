/**
 * What a run has yet to hand to the log, in order: events, and between them text that is still growing.
 *
 *   [ START ][ text of part 0 … ][ END ][ START ][ text of part 1 …
 *                                                  ▲ grows until it is taken or an event follows
 */
import type { Accumulate } from "../ports/event-log.ts";
import type { Collected } from "./log-batcher.ts";
import { cutText } from "./outbox-fit-event.ts";
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
  /** The last item while it is text that may grow. */
  #growing: QueuedText | undefined;
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
    if (this.#growing?.part === part) {
      this.#growing.text += delta;
      return;
    }
    const item = this.#spare ?? { kind: "text", part, offset, text: delta };
    this.#spare = undefined;
    item.part = part;
    item.offset = offset;
    item.text = delta;
    this.#growing = item;
    this.#items.push(item);
  }

  pushEvent(event: string, accumulate: Accumulate | undefined): void {
    this.#growing = undefined;
    this.#items.push({ kind: "event", event, accumulate });
  }

  /** Forgets what the accumulators of this moment contain. What follows is kept apart from it. */
  dropContained(): void {
    this.#growing = undefined;
    this.#items = this.#items.filter((item) => item.kind === "event" && !isContained(item.accumulate));
  }

  /** Puts events back that were taken and not stored. */
  restore(events: readonly QueuedEvent[]): void {
    this.#items.unshift(...events);
  }

  clear(): void {
    this.#items = [];
    this.#growing = undefined;
  }

  /** Hands over what is due. Without `due`, text that may merge with more to come waits. */
  take(sink: QueueSink, now: number, due: boolean): Collected {
    this.#measure(now);
    let taken = 0;
    let outcome: Collected = "empty";
    for (const item of this.#items) {
      if (item === this.#growing && !due && this.#mayWait(item)) {
        outcome = "held";
        break;
      }
      if (!(item.kind === "text" ? handOver(item, sink) : sink.event(item))) {
        outcome = "more";
        break;
      }
      taken++;
    }
    if (taken < this.#items.length) this.#items.splice(0, taken);
    else if (taken === 1) this.#takenOne();
    else this.clear();
    return outcome;
  }

  /** Once per token: a new array or item each time would be much of a token's garbage. */
  #takenOne(): void {
    const item = this.#items.pop();
    if (item?.kind === "text") this.#spare = item;
    this.#growing = undefined;
  }

  #mayWait({ part, text }: QueuedText): boolean {
    return part.begun && this.#interval < FAST_MS && text.length < FULL_DELTA;
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
