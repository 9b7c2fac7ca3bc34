import type { DeltaKey, LogEntry } from "../ports/event-log.ts";
import { deltaHead, deltaPart, encodeDelta } from "../protocol/codec.ts";

export interface Retention {
  readonly maxEvents: number;
  /** Of stored events, in bytes. */
  readonly maxBytes: number;
}

const FIRST_CHUNK = 256;
const CHUNK = 16 * 1024;

/** Bytes of a record before its content: milliseconds since 1970, bytes of content, offset of a delta or NO_DELTA. */
const RECORD = 8 + 4 + 4;
const NO_DELTA = -1;
/** Deltas are a word or so; a longer text is written faster by the native encoder. */
const SHORT = 64;

/** Told of each delta: its text is `length` bytes of UTF-8 from `from` on. */
export interface DeltaVisitor {
  delta(key: DeltaPlace, offset: number, bytes: Buffer, from: number, length: number): void;
}

export type DeltaPlace = Omit<DeltaKey, "offset" | "text">;

/** From this seq on, deltas are of this part. */
interface Stretch {
  readonly from: number;
  readonly key: DeltaPlace;
}

/**
 * Records of adjacent entries, in bytes outside of the garbage-collected heap: a thousand streams retain two million
 * entries, and as objects those would cost the collector more than all the rest of a token costs. A delta is kept as
 * its text; its JSON, ten times that, is made again for the few who read.
 *
 *   bytes    … trimmed … │ record │ record │ record │ … free
 *                        ▲ start                    ▲ used
 *   record   time │ length │ offset │ event JSON, or a delta's text
 */
class Chunk {
  readonly bytes: Buffer;
  readonly #view: DataView;
  /** Seqs of its records. */
  first: number;
  last: number;
  start = 0;
  used = 0;
  readonly #stretches: Stretch[] = [];

  constructor(bytes: Buffer, first: number) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.first = first;
    this.last = first - 1;
  }

  /** Appends a record and answers its bytes. The caller has seen to it that there is room. */
  push(time: number, event: string, delta: DeltaKey | undefined): number {
    const seq = ++this.last;
    if (delta !== undefined) this.#enter(seq, delta);
    const at = this.used;
    const length = this.#write(delta?.text ?? event, at + RECORD);
    this.#view.setFloat64(at, time);
    this.#view.setUint32(at + 8, length);
    this.#view.setInt32(at + 12, delta?.offset ?? NO_DELTA);
    this.used = at + RECORD + length;
    return RECORD + length;
  }

  /** Forgets the first record and answers its bytes. */
  trim(): number {
    const bytes = this.bytesAt(this.start);
    this.start += bytes;
    this.first++;
    return bytes;
  }

  /** Of the record at `at`. */
  bytesAt(at: number): number {
    return RECORD + this.#view.getUint32(at + 8);
  }

  read(seq: number, at: number): LogEntry {
    const ts = new Date(this.#view.getFloat64(at)).toISOString();
    const content = this.bytes.toString("utf8", at + RECORD, at + this.bytesAt(at));
    const offset = this.#view.getInt32(at + 12);
    const key = offset === NO_DELTA ? undefined : this.#stretches.findLast(({ from }) => from <= seq)?.key;
    if (key === undefined) return { seq, ts, event: content };
    const head = deltaHead(deltaPart(key), key.messageId, key.partIndex);
    return { seq, ts, event: encodeDelta(head, offset, content), delta: { ...key, offset, text: content } };
  }

  /** Tells of the deltas from `seq` on, which stands at `at`. */
  visit(seq: number, at: number, visitor: DeltaVisitor): void {
    let stretch = this.#stretches.findLastIndex(({ from }) => from <= seq);
    for (let next = seq, place = at; next <= this.last; next++, place += this.bytesAt(place)) {
      if (this.#stretches[stretch + 1]?.from === next) stretch++;
      const offset = this.#view.getInt32(place + 12);
      const key = offset === NO_DELTA ? undefined : this.#stretches[stretch]?.key;
      if (key !== undefined) {
        visitor.delta(key, offset, this.bytes, place + RECORD, this.#view.getUint32(place + 8));
      }
    }
  }

  #enter(from: number, { part, toolCallId, messageId, partIndex }: DeltaKey): void {
    const key = this.#stretches.at(-1)?.key;
    const goesOn =
      key?.partIndex === partIndex && key.messageId === messageId && key.part === part && key.toolCallId === toolCallId;
    if (goesOn) return;
    const next = { part, messageId, partIndex };
    this.#stretches.push({ from, key: toolCallId === undefined ? next : { ...next, toolCallId } });
  }

  /** In UTF-8; answers the bytes. */
  #write(text: string, at: number): number {
    const { length } = text;
    if (length > SHORT) return this.bytes.write(text, at, "utf8");
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) return this.bytes.write(text, at, "utf8");
      this.#view.setUint8(at + i, unit);
    }
    return length;
  }
}

/** The newest entries of a topic, with adjacent seqs, trimmed from the front. */
export class RetainedEntries {
  readonly #retention: Retention;
  #chunks: Chunk[] = [];
  #newest: Chunk | undefined = undefined;
  /** Of a chunk that was trimmed whole: the next one is made of it. */
  #spare: Buffer | undefined = undefined;
  #bytes = 0;
  #first: number;
  #head: number;
  /** Where the first record stands, or will, that no visitor has been told of; and its seq. */
  #unseenChunk: Chunk | undefined = undefined;
  #unseenAt = 0;
  #unseen: number;

  constructor(retention: Retention, head: number) {
    this.#retention = retention;
    this.#head = head;
    this.#first = head + 1;
    this.#unseen = head + 1;
  }

  /** Seq of the newest entry that was ever pushed; what it was made with before the first. */
  get head(): number {
    return this.#head;
  }

  /** Seq of the oldest entry that is still here; head + 1 when there is none. */
  get first(): number {
    return this.#first;
  }

  /** Entries that no `visit` has come by. */
  get unseen(): number {
    return this.#head + 1 - this.#unseen;
  }

  /** Appends, and answers the new seq. `time`: milliseconds since 1970. `trim` follows. */
  push(time: number, event: string, delta: DeltaKey | undefined): number {
    const seq = ++this.#head;
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    const chunk = this.#room(RECORD + (delta?.text ?? event).length * 3, seq);
    this.#bytes += chunk.push(time, event, delta);
    return seq;
  }

  /** Down to the retention; tells of what goes unseen otherwise. */
  trim(visitor: DeltaVisitor): void {
    const { maxEvents, maxBytes } = this.#retention;
    while (this.#head - this.#first >= maxEvents || this.#bytes > maxBytes) {
      if (this.#first >= this.#unseen) this.visit(visitor);
      this.#dropFirst();
    }
  }

  /** Tells of all deltas that came since the last visit. */
  visit(visitor: DeltaVisitor): void {
    if (this.unseen === 0) return;
    for (const chunk of this.#chunks) {
      if (chunk.last < this.#unseen) continue;
      if (chunk === this.#unseenChunk) chunk.visit(this.#unseen, this.#unseenAt, visitor);
      else chunk.visit(chunk.first, chunk.start, visitor);
    }
    this.passBy();
  }

  /** As `visit`, and tells nobody. */
  passBy(): void {
    this.#unseenChunk = this.#newest;
    this.#unseenAt = this.#newest?.used ?? 0;
    this.#unseen = this.#head + 1;
  }

  clear(): void {
    this.#chunks = [];
    this.#newest = undefined;
    this.#spare = undefined;
    this.#bytes = 0;
    this.#first = this.#head + 1;
    this.passBy();
  }

  /** Entries from a seq on, at most `limit` and `maxBytes`, but at least one if there is one. */
  from(seq: number, limit: number, maxBytes: number): LogEntry[] {
    const entries: LogEntry[] = [];
    let bytes = 0;
    for (const chunk of this.#chunks) {
      if (chunk.last < seq) continue;
      for (let next = chunk.first, at = chunk.start; next <= chunk.last; next++, at += chunk.bytesAt(at)) {
        if (next < seq) continue;
        if (entries.length >= limit) return entries;
        const entry = chunk.read(next, at);
        bytes += Buffer.byteLength(entry.event);
        if (bytes > maxBytes && entries.length > 0) return entries;
        entries.push(entry);
      }
    }
    return entries;
  }

  #room(bytes: number, seq: number): Chunk {
    const newest = this.#newest;
    if (newest !== undefined && newest.bytes.length - newest.used >= bytes) return newest;
    const size = Math.max(bytes, newest === undefined ? FIRST_CHUNK : Math.min(CHUNK, newest.bytes.length * 4));
    const spare = this.#spare !== undefined && this.#spare.length >= size ? this.#spare : undefined;
    if (spare !== undefined) this.#spare = undefined;
    this.#newest = new Chunk(spare ?? Buffer.allocUnsafeSlow(size), seq);
    this.#chunks.push(this.#newest);
    return this.#newest;
  }

  #dropFirst(): void {
    const [oldest] = this.#chunks;
    if (oldest === undefined) return;
    this.#bytes -= oldest.trim();
    this.#first++;
    if (oldest.first <= oldest.last) return;
    this.#chunks.shift();
    if (this.#chunks.length === 0) this.#newest = undefined;
    else if (oldest.bytes.length === CHUNK) this.#spare = oldest.bytes;
  }
}
