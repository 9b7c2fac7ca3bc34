import type { DeltaKey, LogEntry } from "../ports/event-log.ts";

/** An entry and who wrote it; `n` is 0 for an unfenced event. */
export interface StoredEntry extends LogEntry {
  readonly writer: string;
  readonly n: number;
}

export interface Retention {
  readonly maxEvents: number;
  /** Of event JSON, in UTF-16 units: that is what this process holds. */
  readonly maxBytes: number;
}

/** Trimmed slots are overwritten with this until the array is compacted, so that they hold no memory. */
const TRIMMED: StoredEntry = { seq: 0, ts: "", event: "", writer: "", n: 0 };
const COMPACT_ABOVE = 256;
const OPENING_BRACE = 0x7b;

/**
 * The newest entries of a topic, with adjacent seqs. Trimming is O(1) amortised:
 *
 *   #slots   [ trimmed … | first … head ]
 *                          ▲ #start
 */
export class RetainedEntries {
  readonly #retention: Retention;
  #slots: StoredEntry[] = [];
  #start = 0;
  #bytes = 0;
  #head: number;

  constructor(retention: Retention, head: number) {
    this.#retention = retention;
    this.#head = head;
  }

  /** Seq of the newest entry that was ever pushed; what it was made with before the first. */
  get head(): number {
    return this.#head;
  }

  /** Seq of the oldest entry that is still here; head + 1 when there is none. */
  get first(): number {
    return this.#head - (this.#slots.length - this.#start) + 1;
  }

  /** Appends, trims to the retention, and answers the new seq. */
  push(ts: string, event: string, delta: DeltaKey | undefined, writer: string, n: number): number {
    // Reading a unit of it also makes V8 flatten the concatenation that it may be: half the memory of an entry.
    if (event.charCodeAt(0) !== OPENING_BRACE) throw new Error(`An event is a JSON object, not ${event.slice(0, 20)}`);
    const seq = ++this.#head;
    this.#slots.push(delta === undefined ? { seq, ts, event, writer, n } : { seq, ts, event, writer, n, delta });
    this.#bytes += event.length;
    const { maxEvents, maxBytes } = this.#retention;
    while (this.#slots.length - this.#start > maxEvents || this.#bytes > maxBytes) this.#dropFirst();
    return seq;
  }

  clear(): void {
    this.#slots = [];
    this.#start = 0;
    this.#bytes = 0;
  }

  /** Entries from a seq on, at most `limit` and `maxBytes`, but at least one if there is one. */
  from(seq: number, limit: number, maxBytes: number): LogEntry[] {
    const begin = this.#start + Math.max(0, seq - this.first);
    const most = Math.min(this.#slots.length, begin + limit);
    let end = begin;
    for (let bytes = 0; end < most; end++) {
      bytes += this.#slots[end]?.event.length ?? 0;
      if (bytes > maxBytes && end > begin) break;
    }
    return this.#slots.slice(begin, end);
  }

  /** The seq under which a writer's `n` was stored; undefined when it has been trimmed. */
  seqOf(writer: string, n: number): number | undefined {
    for (let i = this.#slots.length - 1; i >= this.#start; i--) {
      const entry = this.#slots[i];
      if (entry?.n === n && entry.writer === writer) return entry.seq;
    }
    return undefined;
  }

  #dropFirst(): void {
    this.#bytes -= this.#slots[this.#start]?.event.length ?? 0;
    this.#slots[this.#start++] = TRIMMED;
    if (this.#start > COMPACT_ABOVE && this.#start * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#start);
      this.#start = 0;
    }
  }
}
