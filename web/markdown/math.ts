/**
 * Formulas in markdown: `$…$` and `\(…\)` in a line, `$$…$$` and `\[…\]` on their own. Prices, shell variables and prose
 * between two dollar signs are none.
 *
 * On lines of its own a formula ends with its closing mark at the end of a line. Until then it is open, and reaches to
 * the end of the text; an empty line before its end says that it was none.
 */
import { Hooks, type MarkedOptions } from "marked";

// Not an interface: marked's tokens have an index signature.
export type MathToken = {
  readonly type: "math";
  readonly raw: string;
  /** TeX. */
  readonly text: string;
  readonly display: boolean;
  /** Nothing has closed it yet. */
  readonly open?: true;
};

export const isMath = (token: { readonly type: string }): token is MathToken => token.type === "math";

const BEGINS_BLOCK = /^ {0,3}(\$\$|\\\[)/;
const EMPTY_LINE = /\n[ \t]*\n/;
const CLOSE = { $$: /(?<!\\)\$\$[ \t]*(?:\n|$)/, "\\[": /\\\][ \t]*(?:\n|$)/ } as const;

function blockMath(source: string): MathToken | undefined {
  const begin = BEGINS_BLOCK.exec(source);
  if (begin === null) return undefined;
  const open = begin[1] === "$$" ? "$$" : "\\[";
  const from = begin[0].length;
  const empty = EMPTY_LINE.exec(source.slice(from));
  // The last line may end; an empty one before the end of the formula may not stand.
  const reach = empty === null ? source.length : from + empty.index + 1;
  const body = source.slice(from, reach);
  const close = CLOSE[open].exec(body);
  if (close !== null) {
    const text = body.slice(0, close.index);
    if (text.trim() === "" || text.includes(open)) return undefined;
    return {
      type: "math",
      raw: source.slice(0, from + close.index + close[0].length),
      text: text.trim(),
      display: true,
    };
  }
  // What follows on the line of a closing mark makes it a line of words.
  if (empty !== null || body.includes(open === "$$" ? "$$" : "\\]")) return undefined;
  return { type: "math", raw: source, text: body.trim(), display: true, open: true };
}

/** Where in a paragraph a line of its own may begin: not behind the end of that paragraph. */
function startOfBlock(source: string): number | undefined {
  const end = EMPTY_LINE.exec(source)?.index ?? source.length;
  const found = /\n {0,3}(?:\$\$|\\\[)/.exec(source.slice(0, end));
  return found === null ? undefined : found.index + 1;
}

const INLINE =
  /^(?:\$\$((?:[^$\\\n]|\\[^\n]|\n(?![ \t]*\n)){1,2000}?)\$\$|\\\[((?:[^\\]|\\(?!\])){1,2000}?)\\\]|\\\(((?:[^\\\n]|\\[^)\n]){1,1000}?)\\\)|\$(?![\s$])((?:[^$\\\n]|\\[^\n]){1,500}?)(?<!\s)\$(?![$\p{L}\p{N}]))/u;

function inlineMath(source: string, before: string): MathToken | undefined {
  const first = source.charCodeAt(0);
  if (first !== 36 && first !== 92) return undefined;
  const found = INLINE.exec(source);
  if (found === null) return undefined;
  const [raw, dollars, brackets, parentheses, dollar] = found;
  const text = dollars ?? brackets ?? parentheses ?? dollar ?? "";
  if (text.trim() === "") return undefined;
  if (dollar !== undefined && (/[\p{L}\p{N}$]$/u.test(before) || isProse(dollar))) return undefined;
  return { type: "math", raw, text: text.trim(), display: dollars !== undefined || brackets !== undefined };
}

/** A price and what it is for, or words that happen to stand between two dollar signs. */
function isProse(text: string): boolean {
  const bare = text.replace(/\\(?:text|mathrm|operatorname|mbox)\s*\{[^{}]*\}/g, "");
  if (/^[\d.,]+(?:[kKmMbB]n?)?(?:\s+[\p{L}]{2,}|\s*[-–—/,;:.(]*$)/u.test(bare) && !/^\d+(?:\.\d+)?$/.test(bare))
    return true;
  return /(?<![\\\p{L}{])\p{L}{2,}\s+\p{L}{2,}(?![\p{L}}])/u.test(bare);
}

function startOfInline(source: string): number | undefined {
  const found = source.search(/\$|\\[([]/);
  return found < 0 ? undefined : found;
}

/** Within a formula there is no emphasis: its place is filled with letters. */
class MathHooks extends Hooks {
  override emStrongMask(source: string): string {
    if (!source.includes("$") && !source.includes("\\")) return source;
    return source.replace(/\$\$[^$]+\$\$|\$[^$\n]+\$|\\\([^\n]+?\\\)|\\\[[^]+?\\\]/g, (found) =>
      "a".repeat(found.length),
    );
  }
}

/** For marked's lexer. */
export const mathOptions: MarkedOptions = {
  hooks: new MathHooks(),
  extensions: {
    renderers: {},
    childTokens: {},
    block: [blockMath],
    inline: [(source, tokens) => inlineMath(source, tokens.at(-1)?.raw.slice(-1) ?? "")],
    startBlock: [startOfBlock],
    startInline: [startOfInline],
  },
};
