/**
 * The rest of growing parts that did not fit a snapshot, as the deltas that a subscriber gets before it reads the
 * log [L7]. They take the last `count` seqs up to the head that the snapshot was taken at, so the client's rules [W5]
 * hold without exception:
 *
 *   position of the answer        head
 *            │                     │
 *   ─────────┤ chunk 1 … chunk n   ├ head + 1, from the log …
 */
import { deltaHead, encodeDelta, encodeItem } from "../protocol/codec.ts";
import { MAX_EVENT } from "../protocol/constants.ts";
import { jsonFit } from "./json-text.ts";
import type { PartRest } from "./snapshot.ts";

/** JSON bytes of text in one delta. */
const CHUNK = 48 * 1024;
/** The most that an event holds; used when there are fewer seqs than chunks. The log's own deltas are no larger. */
const LARGEST_CHUNK = MAX_EVENT - 1024;
/** JSON bytes that are sent before the connection's pressure is looked at. */
const BATCH = 192 * 1024;

interface Chunk {
  readonly rest: PartRest;
  readonly from: number;
  readonly end: number;
}

function cutChunks(rests: readonly PartRest[], maxBytes: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (const rest of rests) {
    for (let from = rest.offset; from < rest.text.length;) {
      const end = jsonFit(rest.text, from, maxBytes);
      chunks.push({ rest, from, end });
      from = end;
    }
  }
  return chunks;
}

export class TextDeltas {
  /** Seq before the first chunk: the position of the answer. */
  readonly before: number;
  /** Seq of the last chunk. */
  readonly head: number;
  readonly #chunks: readonly Chunk[];
  readonly #ts: string;

  private constructor(chunks: readonly Chunk[], head: number, ts: string) {
    this.#chunks = chunks;
    this.#ts = ts;
    this.head = head;
    this.before = head - chunks.length;
  }

  /** undefined when the epoch has not enough seqs yet for so much text. */
  static of(rests: readonly PartRest[], head: number, ts: string): TextDeltas | undefined {
    let chunks = cutChunks(rests, CHUNK);
    if (chunks.length > head) chunks = cutChunks(rests, LARGEST_CHUNK);
    return chunks.length > head ? undefined : new TextDeltas(chunks, head, ts);
  }

  /** The items after a seq, as many as may be sent at once. */
  items(after: number): { readonly items: readonly string[]; readonly last: number } {
    const items: string[] = [];
    let bytes = 0;
    let seq = after;
    while (seq < this.head && bytes < BATCH) {
      const chunk = this.#chunks[seq - this.before];
      if (chunk === undefined) break;
      const { part, messageId, partIndex, text } = chunk.rest;
      seq++;
      const delta = text.slice(chunk.from, chunk.end);
      const item = encodeItem(
        seq,
        seq,
        this.#ts,
        encodeDelta(deltaHead(part, messageId, partIndex), chunk.from, delta),
      );
      bytes += item.length;
      items.push(item);
    }
    return { items, last: seq };
  }
}
