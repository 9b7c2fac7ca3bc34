import type { LogEntry } from "../ports/event-log.ts";

export interface Retention {
  readonly maxEvents: number;
  /** Of stored events, in bytes. */
  readonly maxBytes: number;
}

const FIRST_CHUNK = 1024;
const CHUNK = 64 * 1024;

/**
 * Records of adjacent entries, in bytes outside of the garbage-collected heap: a thousand streams retain two million
 * entries, and as objects those would cost the collector more than all the rest of a token costs.
 *
 *   bytes  {"type":…}{"type":…}{"type":…} … free
 *   ends             ▲         ▲         ▲
 */
class Chunk {
  readonly bytes: Buffer;
  /** Seq of its first record. */
  first: number;
  readonly ends: number[] = [];
  /** Milliseconds since 1970 when each was taken; below 0 for a text delta. */
  readonly times: number[] = [];
  used = 0;

  constructor(bytes: Buffer, first: number) {
    this.bytes = bytes;
    this.first = first;
  }

  get last(): number {
    return this.first + this.ends.length - 1;
  }

  start(seq: number): number {
    return this.ends[seq - this.first - 1] ?? 0;
  }

  end(seq: number): number {
    return this.ends[seq - this.first] ?? 0;
  }

  read(seq: number): LogEntry {
    const time = this.times[seq - this.first] ?? 0;
    const ts = new Date(Math.abs(time)).toISOString();
    const event = this.bytes.toString("utf8", this.start(seq), this.end(seq));
    return time < 0 ? { seq, ts, event, delta: deltaOf(event) } : { seq, ts, event };
  }
}

/** What was taken apart when it was appended is put together again for the few who read. */
function deltaOf(event: string): NonNullable<LogEntry["delta"]> {
  const parsed = JSON.parse(event) as { messageId: string; partIndex: number; offset: number; delta: string };
  const { messageId, partIndex, offset, delta } = parsed;
  return { messageId, partIndex, offset, text: delta };
}

/** The newest entries of a topic, with adjacent seqs, trimmed from the front. */
export class RetainedEntries {
  readonly #retention: Retention;
  #chunks: Chunk[] = [];
  /** Of a chunk that was trimmed whole: the next one is made of it. */
  #spare: Buffer | undefined = undefined;
  #bytes = 0;
  #first: number;
  #head: number;

  constructor(retention: Retention, head: number) {
    this.#retention = retention;
    this.#head = head;
    this.#first = head + 1;
  }

  /** Seq of the newest entry that was ever pushed; what it was made with before the first. */
  get head(): number {
    return this.#head;
  }

  /** Seq of the oldest entry that is still here; head + 1 when there is none. */
  get first(): number {
    return this.#first;
  }

  /** Appends, trims to the retention, and answers the new seq. `time`: milliseconds since 1970. */
  push(time: number, event: string, isDelta: boolean): number {
    const seq = ++this.#head;
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    const chunk = this.#room(event.length * 3, seq);
    const written = chunk.bytes.write(event, chunk.used, "utf8");
    chunk.used += written;
    chunk.ends.push(chunk.used);
    chunk.times.push(isDelta ? -time : time);
    this.#bytes += written;
    const { maxEvents, maxBytes } = this.#retention;
    while (this.#head - this.#first >= maxEvents || this.#bytes > maxBytes) this.#dropFirst();
    return seq;
  }

  clear(): void {
    this.#chunks = [];
    this.#spare = undefined;
    this.#bytes = 0;
    this.#first = this.#head + 1;
  }

  /** Entries from a seq on, at most `limit` and `maxBytes`, but at least one if there is one. */
  from(seq: number, limit: number, maxBytes: number): LogEntry[] {
    const entries: LogEntry[] = [];
    let bytes = 0;
    let next = Math.max(seq, this.#first);
    for (const chunk of this.#chunks) {
      for (; next <= chunk.last; next++) {
        bytes += chunk.end(next) - chunk.start(next);
        if (entries.length >= limit || (bytes > maxBytes && entries.length > 0)) return entries;
        entries.push(chunk.read(next));
      }
    }
    return entries;
  }

  #room(bytes: number, seq: number): Chunk {
    const newest = this.#chunks.at(-1);
    if (newest !== undefined && newest.bytes.length - newest.used >= bytes) return newest;
    const size = Math.max(bytes, newest === undefined ? FIRST_CHUNK : Math.min(CHUNK, newest.bytes.length * 4));
    const spare = this.#spare !== undefined && this.#spare.length >= size ? this.#spare : undefined;
    if (spare !== undefined) this.#spare = undefined;
    const chunk = new Chunk(spare ?? Buffer.allocUnsafeSlow(size), seq);
    this.#chunks.push(chunk);
    return chunk;
  }

  #dropFirst(): void {
    const [oldest] = this.#chunks;
    if (oldest === undefined) return;
    this.#bytes -= oldest.end(this.#first) - oldest.start(this.#first);
    this.#first++;
    if (this.#first <= oldest.last) return;
    this.#chunks.shift();
    if (this.#chunks.length > 0 && oldest.bytes.length === CHUNK) this.#spare = oldest.bytes;
  }
}
