/** marked's lexer, set up so that a text can be lexed piece by piece and shown without any HTML. */
import { Lexer, type Links, type Token, Tokenizer, type Tokens } from "marked";
import { mathOptions } from "./math.ts";

/** Containers nested deeper than this are shown as they were written: the lexer recurses, and so does the page. */
const MAX_NESTING = 32;

/**
 * - Link definitions stand on one line, so that a block never changes because of what follows a line break much later.
 * - Inline HTML is text here: it opens no raw or link state that would reach into the text after it.
 */
class PlainTokenizer extends Tokenizer {
  override def(source: string): Tokens.Def | undefined {
    if (source.charCodeAt(0) !== 91 && source.charCodeAt(0) !== 32) return undefined;
    const line = source.slice(0, (source.indexOf("\n") + 1 || source.length + 1) - 1);
    if (!/^ {0,3}\[(?:\\.|[^\\[\]])+\]:[ \t]*\S/.test(line)) return undefined;
    const found = super.def(line);
    if (found === undefined) return undefined;
    const raw = source.length > line.length ? `${line}\n` : line;
    return { ...found, raw };
  }

  override tag(source: string): Tokens.Tag | undefined {
    if (source.charCodeAt(0) !== 60) return undefined;
    const raw = this.rules.inline.tag.exec(source)?.[0];
    return raw === undefined
      ? undefined
      : { type: "html", raw, text: raw, inLink: false, inRawBlock: false, block: false };
  }
}

const tokenizer = new PlainTokenizer();

/** A line that opens more containers than anybody reads. */
const TOO_NESTED = new RegExp(`^(?:[ \\t]*(?:>|[*+-][ \\t]|\\d{1,9}[.)][ \\t])){${MAX_NESTING}}`, "m");

/**
 * The tokens of `source`, which holds no carriage return. `links` are the definitions that stand before it; those
 * found in it are added. What the lexer cannot take is one paragraph of plain text.
 */
export function lex(source: string, links: Links): Token[] {
  if (source === "") return [];
  if (!TOO_NESTED.test(source)) {
    try {
      const lexer = new Lexer({ ...mathOptions, gfm: true, tokenizer });
      lexer.tokens.links = links;
      return lexer.lex(source);
    } catch {
      // The lexer's own limits (its stack): shown as text below.
    }
  }
  return [{ type: "paragraph", raw: source, text: source, tokens: [{ type: "text", raw: source, text: source }] }];
}

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  copy: "©",
  reg: "®",
  trade: "™",
  hellip: "…",
  mdash: "—",
  ndash: "–",
  laquo: "«",
  raquo: "»",
  lsquo: "‘",
  rsquo: "’",
  ldquo: "“",
  rdquo: "”",
  bull: "•",
  middot: "·",
  times: "×",
  divide: "÷",
  minus: "−",
  plusmn: "±",
  deg: "°",
  larr: "←",
  rarr: "→",
  uarr: "↑",
  darr: "↓",
  le: "≤",
  ge: "≥",
  ne: "≠",
  infin: "∞",
  euro: "€",
  pound: "£",
  yen: "¥",
  cent: "¢",
  sect: "§",
  para: "¶",
  shy: "\u00ad",
};

/** The characters that named references stand for; marked has replaced the numeric ones. Unknown ones stay as written. */
export const decodeNamed = (text: string): string =>
  text.includes("&")
    ? text.replace(/&([a-z]+);/g, (found, name: string) =>
        Object.hasOwn(NAMED, name) ? (NAMED[name] ?? found) : found,
      )
    : text;
