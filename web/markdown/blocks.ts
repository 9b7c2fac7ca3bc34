/**
 * A markdown text that grows, as a list of blocks.
 *
 *   ┌ committed: lexed once, never again ┐┌ tail: lexed again with each piece ┐
 *   │ heading · paragraph · list · code  ││ paragraph                         │
 *   └────────────────────────────────────┘└───────────────────────────────────┘
 *
 * Blocks before a block whose first line is complete can't change any more, except after a paragraph that nothing
 * separates from what follows. `blocks` is always what lexing the whole text gives; only links that are
 * defined after their use are found by a second reading, with the definitions that `finish` gives.
 */
import type { Links, Token, Tokens } from "marked";
import { lex } from "./lexer.ts";

export class BlockStream {
  /** The same object stands for the same block, unchanged, from one look to the next. */
  readonly blocks: Token[] = [];
  #text = "";
  /** Of `#text`. */
  #tailStart = 0;
  /** Of `blocks`. */
  #committed = 0;
  readonly #links: Links;
  #carriageReturn = false;
  #finished = false;
  /** A table that is, as it was written, the end of the text. */
  #lastTable: Token | undefined;

  /** `links`: those that are defined in the text, if it has been read before. */
  constructor(links?: Links) {
    this.#links = Object.assign(Object.create(null), links) as Links;
  }

  /** So many of the first blocks will not change any more. */
  get settled(): number {
    return this.#finished ? this.blocks.length : this.#committed;
  }

  append(piece: string): void {
    const text = this.#normalise(piece);
    if (text === "") return;
    this.#text += text;
    if (this.#appendToWords(text) || this.#appendToFence(text) || this.#appendToTable(text)) return;
    this.#lexTail();
  }

  /**
   * The text is complete. Where links are defined in it, those that are used before that are not found yet: then the
   * definitions are the answer, and the text is to be read again with them.
   */
  finish(): Links | undefined {
    this.#finished = true;
    for (const block of this.blocks.slice(this.#committed)) this.#define(block);
    return Object.keys(this.#links).length === 0 ? undefined : this.#links;
  }

  /** Line ends become "\n", also where a piece ends between the two characters of one. */
  #normalise(piece: string): string {
    const rest = this.#carriageReturn && piece.startsWith("\n") ? piece.slice(1) : piece;
    if (piece !== "") this.#carriageReturn = piece.endsWith("\r");
    return rest.includes("\r") ? rest.replace(/\r\n?/g, "\n") : rest;
  }

  #lexTail(): void {
    const source = this.#text.slice(this.#tailStart);
    // A definition in the tail may not be final, so it counts only when its block is committed.
    const tail = lex(source, Object.assign(Object.create(null), this.#links) as Links);
    this.blocks.splice(this.#committed, Infinity, ...tail);
    this.#commit(source);
  }

  /** `source`: of the blocks that are not committed. */
  #commit(source: string): void {
    const tail = this.blocks.slice(this.#committed);
    const final = finalBlocks(tail, source);
    for (const block of tail.slice(0, final)) {
      this.#tailStart += block.raw.length;
      this.#define(block);
    }
    this.#committed += final;
  }

  /** The first definition of a name counts; those inside of a list or a quotation do too. */
  #define(block: Token): void {
    if (block.type === "def") {
      const { tag, href, title } = block as Tokens.Def;
      this.#links[tag] ??= { href, title };
    } else if ((block.type === "list" || block.type === "blockquote") && block.raw.includes("]:")) {
      const found = Object.create(null) as Links;
      lex(block.raw, found);
      for (const [tag, link] of Object.entries(found)) this.#links[tag] ??= link;
    }
  }

  /** Words that go on in a paragraph, the common case: nothing among letters, digits and spaces starts anything. */
  #appendToWords(text: string): boolean {
    const paragraph = this.blocks.at(-1);
    if (paragraph?.type !== "paragraph" || !/^[A-Za-z0-9 ]+$/.test(text)) return false;
    const { raw, tokens, text: all } = paragraph as Tokens.Paragraph;
    const words = tokens.at(-1);
    if (words?.type !== "text" || !/[A-Za-z0-9]$/.test(words.raw)) return false;
    // A few characters at the start of a line may still become a marker of another block.
    if (!/[A-Za-z]{2}|\d /.test(raw.slice(raw.lastIndexOf("\n", raw.length - 1) + 1))) return false;
    const grown = { ...words, raw: words.raw + text, text: (words as Tokens.Text).text + text };
    const block = { ...paragraph, raw: raw + text, text: all + text, tokens: [...tokens.slice(0, -1), grown] };
    this.blocks[this.blocks.length - 1] = block as Tokens.Paragraph;
    return true;
  }

  #appendToFence(text: string): boolean {
    const block = this.blocks.at(-1);
    if (block?.type !== "code" || /[`~]/.test(text)) return false;
    const open = /^[`~]{3,}[^\n]*\n/.exec(block.raw)?.[0];
    if (open === undefined || (block as Tokens.Code).text !== fenceText(block.raw.slice(open.length))) return false;
    const raw = block.raw + text;
    this.blocks[this.blocks.length - 1] = { ...block, raw, text: fenceText(raw.slice(open.length)) } as Tokens.Code;
    return true;
  }

  /** Of a table only the last row may still change: it is lexed again below the heading, with what is new. */
  #appendToTable(text: string): boolean {
    const block = this.blocks.at(-1);
    if (block?.type !== "table") return false;
    const table = block as Tokens.Table;
    const { raw, rows } = table;
    const head = raw.indexOf("\n", raw.indexOf("\n") + 1) + 1;
    const last = raw.lastIndexOf("\n", raw.length - 2) + 1;
    const end = this.#text.length - text.length;
    // A last line of nothing but spaces is no row yet.
    if (rows.length < 2 || last <= head || raw.slice(last).trim() === "") return false;
    if (block !== this.#lastTable && !this.#text.endsWith(raw, end)) return false;
    const source = raw.slice(0, head) + raw.slice(last) + text;
    const [grown, ...rest] = lex(source, { ...this.#links });
    if (grown?.type !== "table") return false;
    const { raw: written, rows: more } = grown as Tokens.Table;
    const merged = [...rows.slice(0, -1), ...more];
    const longer = { ...table, raw: raw.slice(0, last) + written.slice(head), rows: merged };
    this.#lastTable = written === source ? longer : undefined;
    this.blocks.splice(-1, 1, longer, ...rest);
    if (rest.length > 0) this.#commit(this.#text.slice(this.#tailStart));
    return true;
  }
}

/** What marked says is the text of a fence that nothing closes. */
function fenceText(body: string): string {
  if (body === "") return "";
  const text = body.endsWith("\n") ? body.slice(0, -1) : body;
  return text === "" || text.endsWith("\n") ? `${text}\n` : text;
}

/** How many blocks of the tail are final. */
function finalBlocks(tail: readonly Token[], source: string): number {
  let end = source.length;
  for (let i = tail.length - 1; i > 0; i--) {
    const [before, block] = [tail[i - 1], tail[i]];
    if (block === undefined || before === undefined) break;
    end -= block.raw.length;
    if (block.type === "space" || before.type === "paragraph" || before.type === "text") continue;
    // marked's `raw` is not always what stands there (a bare list marker), so a cut is made only where it is.
    if (!source.includes("\n", end) || !isSource(tail.slice(0, i), source, end)) continue;
    return i;
  }
  return 0;
}

const isSource = (blocks: readonly Token[], source: string, end: number): boolean =>
  source.startsWith(blocks.map(({ raw }) => raw).join("")) &&
  blocks.reduce((length, { raw }) => length + raw.length, 0) === end;

/** Lexes something, so that the patterns of the lexer are compiled before the first answer comes. */
export function warmUp(): void {
  const blocks = new BlockStream();
  blocks.append("A *word*, $a$, `code`, https://example.com.\n\n- a\n- b\n\n| a |\n|---|\n| b |\n\n> c\n\n```\nd");
  blocks.finish();
}
