/**
 * What is shown of a text. A long one that is new begins with its end, which is where a reader of a conversation is:
 *
 *   at once              ┌ its end, lexed by itself ┐
 *   when all is read     ┌ places, empty: they keep a size ┐┌ the same end ┐
 *   bit by bit           ┌ places ┐┌ filled, from the end towards the beginning ┐
 *
 * One that is another now, and long, is read while what it was stays on the page.
 */
import type { Token } from "marked";
import { BlockStream } from "./blocks.ts";
import { TextReader } from "./reader.ts";

/** Blocks that are laid out and skipped together: enough of them to be worth it, few enough to be off the screen. */
export const CHUNK = 12;

/** UTF-16 units: from here on it takes longer than a frame. */
const LONG = 12_000;
/** So much of its end, and so many blocks, are more than a screen shows. */
const END = 4_000;
const END_BLOCKS = 3 * CHUNK;

/** `frame`: there is more to read, and to show, in the next one. `idle`: `readOn` is to be called until all is read. */
export type Progress = "done" | "frame" | "idle";

export class ShownText {
  #reader = new TextReader();
  /** Shown while `#reader` reads: the end, or what the text was. */
  #meanwhile: { readonly blocks: readonly Token[]; readonly settled: number; readonly isEnd: boolean } | undefined;
  /** Of the blocks: from `#head` to `#tail` they are places that are still to be filled. */
  #head = 0;
  #tail = 0;
  #anchor = 0;

  get blocks(): readonly Token[] {
    return this.#meanwhile?.blocks ?? this.#reader.blocks;
  }

  /** So many of the first blocks will not change any more. */
  get settled(): number {
    return this.#meanwhile?.settled ?? this.#reader.settled;
  }

  /** A chunk begins with this block, and others every `CHUNK` before and after it. */
  get anchor(): number {
    return this.#anchor;
  }

  /** Is this chunk still empty? */
  isPlace(start: number, end: number): boolean {
    return start >= this.#head && end <= this.#tail;
  }

  /** There are places to fill. */
  get open(): boolean {
    return this.#tail > this.#head;
  }

  /** Nothing is waited for: all that was read is there. */
  get whole(): boolean {
    return this.#meanwhile === undefined && !this.open;
  }

  /** The text now; `growing`: more is to come. */
  read(text: string, growing: boolean): Progress {
    if (this.#meanwhile === undefined && !this.#reader.continues(text)) this.#begin(text, growing);
    if (this.#meanwhile !== undefined) return "idle";
    return this.#reader.read(text, growing) ? "done" : "frame";
  }

  #begin(text: string, growing: boolean): void {
    const { blocks, settled } = this.#reader;
    this.#reader = new TextReader();
    if (text.length > LONG && blocks.length > 0) this.#meanwhile = { blocks, settled, isEnd: false };
    else {
      this.#anchor = this.#head = this.#tail = 0;
      const end = text.length > LONG ? endOf(text) : undefined;
      if (end !== undefined) this.#meanwhile = { blocks: end, settled: growing ? 0 : end.length, isEnd: true };
    }
  }

  /** A slice of what is read before it is shown. True while there is more. */
  readOn(text: string, growing: boolean): boolean {
    const meanwhile = this.#meanwhile;
    if (meanwhile === undefined) return false;
    if (!this.#reader.read(text, growing)) return true;
    const { length } = this.#reader.blocks;
    const { blocks, isEnd } = meanwhile;
    this.#reader.keep(blocks, isEnd);
    if (isEnd) {
      this.#anchor = this.#tail = Math.max(0, length - blocks.length);
    } else {
      // Those that are places already stay what they are.
      this.#head = Math.min(this.open ? this.#head : blocks.length, length);
      this.#tail = Math.max(this.#head, length - CHUNK);
    }
    this.#meanwhile = undefined;
    return false;
  }

  /** Fills one place. True while there are more. */
  fill(): boolean {
    this.#tail = Math.max(this.#head, this.#tail - CHUNK);
    if (!this.open) this.#head = this.#tail = 0;
    return this.open;
  }
}

/** The last blocks of a text, as far as they can be told without all before them. Undefined where they can't. */
export function endOf(text: string): readonly Token[] | undefined {
  const from = endStart(text);
  if (from === undefined) return undefined;
  const stream = new BlockStream();
  stream.append(text.slice(from));
  stream.finish();
  return stream.blocks.slice(-END_BLOCKS);
}

/** Behind an empty line, outside of code, where a line begins without an indent. */
function endStart(text: string): number | undefined {
  const begins = /\n\r?\n(?=\S)/g;
  begins.lastIndex = Math.max(0, text.length - END);
  const fences = text.matchAll(/^ {0,3}(`{3,}|~{3,})(.*)$/gm);
  let fence = fences.next();
  let open: string | undefined;
  for (let found = begins.exec(text); found !== null; found = begins.exec(text)) {
    const at = found.index + found[0].length;
    for (; fence.done !== true && fence.value.index < at; fence = fences.next()) {
      const [, mark = "", rest = ""] = fence.value;
      if (open === undefined) open = mark;
      else if (mark.startsWith(open) && rest.trim() === "") open = undefined;
    }
    if (open === undefined) return at;
  }
  return undefined;
}
