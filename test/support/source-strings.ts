/** The strings that stand in a TypeScript source: enough of a lexer to find them, not to understand the program. */

export interface SourceString {
  /** Of a template: the name before it, "" where there is none. Undefined: a quoted string. */
  readonly tag: string | undefined;
  /** With U+0000 in place of each expression. */
  readonly value: string;
  readonly line: number;
}

/** What a regular expression may follow; after anything else, a slash divides. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+]|=>|\breturn|\bcase|\btypeof)\s*$/;

export function sourceStrings(source: string): readonly SourceString[] {
  const found: SourceString[] = [];
  const lineAt = (at: number): number => source.slice(0, at).split("\n").length;

  /** Reads code from `at` until a closing brace of its own, or the end; where it ended. */
  function code(at: number): number {
    let depth = 0;
    for (let i = at; i < source.length; i++) {
      const character = source[i];
      const two = source.slice(i, i + 2);
      if (two === "//") i = source.indexOf("\n", i);
      else if (two === "/*") i = source.indexOf("*/", i) + 1;
      else if (character === '"' || character === "'") i = quoted(i, character);
      else if (character === "`") i = template(i);
      else if (character === "/" && BEFORE_REGEX.test(source.slice(Math.max(0, i - 40), i))) i = regex(i);
      else if (character === "{") depth++;
      else if (character === "}" && depth-- === 0) return i;
      if (i < 0) break;
    }
    return source.length;
  }

  function quoted(at: number, quote: string): number {
    let i = at + 1;
    while (i < source.length && source[i] !== quote) i += source[i] === "\\" ? 2 : 1;
    found.push({ tag: undefined, value: source.slice(at + 1, i), line: lineAt(at) });
    return i;
  }

  function template(at: number): number {
    const tag = /([\w.]+)$/.exec(source.slice(Math.max(0, at - 40), at))?.[1] ?? "";
    let value = "";
    let i = at + 1;
    for (; i < source.length && source[i] !== "`"; i++) {
      if (source[i] === "\\") value += source.slice(i, ++i + 1);
      else if (source.startsWith("${", i)) {
        i = code(i + 2);
        value += "\0";
      } else value += source[i];
    }
    found.push({ tag, value, line: lineAt(at) });
    return i;
  }

  function regex(at: number): number {
    let inClass = false;
    for (let i = at + 1; i < source.length; i++) {
      if (source[i] === "\\") i++;
      else if (source[i] === "[") inClass = true;
      else if (source[i] === "]") inClass = false;
      else if (source[i] === "/" && !inClass) return i;
    }
    return source.length;
  }

  code(0);
  return found;
}
