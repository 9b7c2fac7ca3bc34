/** The blocks of a text that is shown: read in slices, so that a long one stops nothing. */
import type { Token } from "marked";
import { BlockStream } from "./blocks.ts";

/** A slice ends after the first piece that ends later than this. */
const SLICE_MS = 3;
const PIECE = 1_000;
/** Of what only the end is lexed again. */
const LONG_PIECE = 3_000;

export class TextReader {
  #stream = new BlockStream();
  /** What the stream was given. */
  #read = "";
  #finished = false;
  /** The text once more, with the links that it defines; shown when it is complete. */
  #again: { readonly stream: BlockStream; read: number } | undefined;
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get blocks(): readonly Token[] {
    return this.#stream.blocks;
  }

  /** So many of the first blocks will not change any more. */
  get settled(): number {
    return this.#again === undefined ? this.#stream.settled : 0;
  }

  /** Does this text begin with all that was read? And something was, and it was not the end. */
  continues(text: string): boolean {
    const { length } = this.#read;
    // Not by `startsWith`, which takes several times as long.
    if (length === 0 || text.slice(0, length) !== this.#read) return false;
    return !this.#finished || text.length === length;
  }

  /** Blocks that are shown already, at the beginning or the end of the text, are the same objects here. */
  keep(shown: readonly Token[], atEnd: boolean): void {
    keepSame(shown, this.#stream.blocks, atEnd ? this.#stream.blocks.length - shown.length : 0);
  }

  /** Reads on in the text, which mostly grew. True when all of it is read; else it is to be called again. */
  read(text: string, growing: boolean): boolean {
    const end = this.#now() + SLICE_MS;
    if (!this.continues(text)) this.#reset();
    while (this.#read.length < text.length) {
      const from = this.#read.length;
      const to = from + pieceLength(this.#stream);
      this.#stream.append(text.slice(from, to));
      this.#read = text.slice(0, to);
      if (this.#now() > end && to < text.length) return false;
    }
    if (growing) return true;
    if (!this.#finished) this.#finish();
    return this.#readAgain(text, end);
  }

  #reset(): void {
    this.#stream = new BlockStream();
    this.#read = "";
    this.#finished = false;
    this.#again = undefined;
  }

  #finish(): void {
    this.#finished = true;
    const links = this.#stream.finish();
    this.#again = links === undefined ? undefined : { stream: new BlockStream(links), read: 0 };
  }

  #readAgain(text: string, end: number): boolean {
    const again = this.#again;
    if (again === undefined) return true;
    while (again.read < text.length) {
      const to = again.read + pieceLength(again.stream);
      again.stream.append(text.slice(again.read, to));
      again.read = to;
      if (this.#now() > end && to < text.length) return false;
    }
    again.stream.finish();
    keepSame(this.#stream.blocks, again.stream.blocks);
    this.#stream = again.stream;
    this.#again = undefined;
    return true;
  }
}

/**
 * A long block that is open is lexed from its beginning with each piece: the longer it is, the fewer the pieces. Of a
 * table and of code only the end is.
 */
function pieceLength({ blocks, settled }: BlockStream): number {
  const open = blocks.at(-1)?.type;
  const length = blocks.slice(settled).reduce((sum, { raw }) => sum + raw.length, 0);
  return Math.max(PIECE, open === "table" || open === "code" ? Math.min(length, LONG_PIECE) : length);
}

/** A block in which no link can stand is the one that is shown already; the first of `shown` stands at `from`. */
function keepSame(shown: readonly Token[], blocks: Token[], from = 0): void {
  blocks.forEach((block, i) => {
    const before = shown[i - from];
    if (before?.raw === block.raw && before.type === block.type && !block.raw.includes("[")) blocks[i] = before;
  });
}
