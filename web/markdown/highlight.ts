/**
 * Code as runs of text and what they are, by highlight.js. Its HTML is never made: its emitter is replaced by one that
 * collects the runs. Fetched when the first finished block of code comes near the screen.
 */
import type { CompiledMode, Emitter, HighlightResult, Language } from "highlight.js";
import HighlightJS from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import kotlin from "highlight.js/lib/languages/kotlin";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";

export interface CodeRun {
  /** How it looks: the class is `code-<kind>`. Undefined: as the rest. */
  readonly kind: string | undefined;
  readonly text: string;
}

/** Each slice takes a few milliseconds. */
const SLICE_LENGTH = 500;
/** A slice that ends inside of something (a string of many lines) is tried again, longer, up to here. */
const MAX_SLICE = 12_000;

/** By the first word of a scope. What is not listed looks as the rest. */
const KINDS: Readonly<Record<string, string>> = {
  keyword: "word",
  "selector-tag": "word",
  literal: "value",
  number: "value",
  symbol: "value",
  bullet: "value",
  link: "value",
  string: "string",
  regexp: "string",
  char: "string",
  comment: "comment",
  quote: "comment",
  doctag: "comment",
  title: "name",
  section: "name",
  name: "name",
  "selector-id": "name",
  "selector-class": "name",
  built_in: "type",
  type: "type",
  attr: "field",
  attribute: "field",
  property: "field",
  variable: "field",
  "template-variable": "field",
  meta: "meta",
  addition: "added",
  deletion: "removed",
};

/** The innermost scope that has a look of its own decides; what stands in a template inside of a string has none. */
class Runs implements Emitter {
  readonly runs: CodeRun[] = [];
  readonly #kinds: (string | undefined)[] = [undefined];

  startScope(scope: string): void {
    const word = scope.split(".", 1)[0] ?? "";
    this.#kinds.push(word === "subst" ? undefined : (KINDS[word] ?? this.#kinds.at(-1)));
  }

  endScope(): void {
    if (this.#kinds.length > 1) this.#kinds.pop();
  }

  openNode(scope: string): void {
    this.startScope(scope);
  }

  closeNode(): void {
    this.endScope();
  }

  addText(text: string): void {
    if (text === "") return;
    const kind = this.#kinds.at(-1);
    const last = this.runs.at(-1);
    if (last !== undefined && last.kind === kind) this.runs[this.runs.length - 1] = { kind, text: last.text + text };
    else this.runs.push({ kind, text });
  }

  __addSublanguage(emitter: Emitter): void {
    if (emitter instanceof Runs) this.runs.push(...emitter.runs);
  }

  finalize(): void {
    this.#kinds.length = 1;
  }

  toHTML(): string {
    return "";
  }
}

const highlighter = HighlightJS.newInstance();
highlighter.configure({ __emitter: Runs });
const grammars = {
  bash,
  cpp,
  csharp,
  css,
  diff,
  go,
  java,
  javascript,
  json,
  kotlin,
  python,
  rust,
  sql,
  typescript,
  xml,
  yaml,
};
/** What code of one language may hold of others. */
const INSIDE: Readonly<Record<string, readonly string[]>> = {
  xml: ["css", "javascript"],
  javascript: ["css", "xml"],
  typescript: ["css", "javascript", "xml"],
};

/** The name of a language that is only there to be made. */
const PART = "part";

/**
 * Makes the patterns of a language when its first code comes, in steps: each of its modes is made as if it were all of a
 * language, and highlight.js makes none twice.
 */
function* prepared(name: string): Generator<readonly CodeRun[], boolean> {
  if (!isGrammar(name)) return false;
  if (highlighter.getLanguage(name) !== undefined) return true;
  for (const one of [...(INSIDE[name] ?? []), name].filter(isGrammar)) {
    if (highlighter.getLanguage(one) !== undefined) continue;
    highlighter.registerLanguage(one, grammars[one]);
    yield [];
  }
  const language = highlighter.getLanguage(name);
  for (const mode of language?.contains ?? []) {
    highlighter.registerLanguage(PART, () => ({ ...language, aliases: [], contains: [mode] }));
    highlighter.highlight("", { language: PART });
    yield [];
  }
  highlighter.highlight("", { language: name });
  yield [];
  return true;
}

const isGrammar = (name: string): name is keyof typeof grammars => Object.hasOwn(grammars, name);

/** The code in slices, each with its runs. Ends early where the grammar gets lost: the rest stays as it is. */
export function* codeSlices(code: string, grammar: string): Generator<readonly CodeRun[], void> {
  if (!(yield* prepared(grammar))) return;
  let from = 0;
  while (from < code.length) {
    let to = cut(code, from + SLICE_LENGTH);
    let slice = runsOf(code.slice(from, to), grammar);
    while (!slice.complete && to < code.length) {
      if (to - from > MAX_SLICE || slice.runs === undefined) return;
      yield [];
      to = cut(code, from + (to - from) * 2);
      slice = runsOf(code.slice(from, to), grammar);
    }
    if (slice.runs === undefined) return;
    yield slice.runs;
    from = to;
  }
}

/** Behind the first line that ends there or later, preferably where a line without an indent begins. */
function cut(code: string, at: number): number {
  if (at >= code.length) return code.length;
  const begin = /\n(?=[^\s})\]])/g;
  begin.lastIndex = at;
  const found = begin.exec(code);
  if (found !== null && found.index - at < SLICE_LENGTH) return found.index + 1;
  const line = code.indexOf("\n", at);
  return line < 0 ? code.length : line + 1;
}

interface Slice {
  /** Undefined: the grammar failed, or what it gives is not the text. */
  readonly runs: readonly CodeRun[] | undefined;
  /** It ends outside of anything that goes on. */
  readonly complete: boolean;
}

function runsOf(code: string, grammar: string): Slice {
  const result: HighlightResult = highlighter.highlight(code, { language: grammar, ignoreIllegals: true });
  const top: Language | CompiledMode | undefined = result._top;
  const runs = result._emitter instanceof Runs ? result._emitter.runs : [];
  const length = runs.reduce((sum, { text }) => sum + text.length, 0);
  return {
    runs: result.errorRaised === undefined && length === code.length ? runs : undefined,
    complete: top === undefined || top === highlighter.getLanguage(grammar),
  };
}
