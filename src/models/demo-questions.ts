/** What a person asks of the demo model: a handful of commands, some of them several times in one message. */
import type { ToolArgs } from "../protocol/shapes.ts";

export interface Call {
  readonly name: string;
  readonly args: ToolArgs;
}

export interface Question {
  /** "count to N": nothing else counts then. */
  readonly countTo: number | undefined;
  /** "think about X". */
  readonly thought: string | undefined;
  /** "plan THING". */
  readonly plan: string | undefined;
  /** Tool calls that it asks for, at most `MAX_CALLS`. */
  readonly calls: readonly Call[];
  /** It asked for more of them. */
  readonly tooMany: boolean;
}

export const MAX_CALLS = 8;

/** UTF-16 units in which commands are looked for: what is done with them takes the square of that in time. */
const READ = 2_000;

/** "A, B and C" */
const LIST = /,\s+(?:and\s+)?|\s+and\s+/i;
const SENTENCE_END = /[\s,;.?!]+$/;

type Asked = { readonly thought: string } | { readonly plan: string } | { readonly calls: readonly Call[] };

/** Phrases that nobody writes by chance, and words that are commands only where a sentence or a clause begins. */
const PHRASES: Readonly<Record<string, (rest: string) => Asked>> = {
  "use the calculator": (rest) => each(rest, "calculator", "expression", /\s+and\s+/i, /[\s,;.?]+$/),
  "what time is it": (rest) => {
    const timeZone = /^in\s+([A-Z][\w+-]*(?:\/[\w+-]+)*)/.exec(rest)?.[1];
    return { calls: [{ name: "clock", args: timeZone === undefined ? {} : { timeZone } }] };
  },
  "what do you remember": (rest) => {
    const about = rest.replace(/^about\s+/i, "").replace(SENTENCE_END, "");
    return { calls: [{ name: "memory_search", args: about === "" ? {} : { words: about } }] };
  },
  "delete the file": (rest) => each(rest, "file_delete", "name", LIST),
};
const WORDS: Readonly<Record<string, (rest: string) => Asked>> = {
  remember: (rest) => ({ calls: named("memory_save", "text", rest.replace(/^that\s+/i, "")) }),
  forget: (rest) => ({ calls: named("memory_forget", "words", rest.replace(/^(?:that|about)\s+/i, "")) }),
  research: (rest) => each(rest, "research", "topic", LIST),
  "think about": (rest) => ({ thought: rest.replace(SENTENCE_END, "") || "it" }),
  plan: (rest) => ({ plan: rest.replace(SENTENCE_END, "") || "the day" }),
};

const anyOf = (commands: object): string => Object.keys(commands).join("|");
const COMMAND = new RegExp(
  `\\b(${anyOf(PHRASES)})\\b|(?:^|[.,;:!?\\n]|\\b(?:and|then|also|please|can you|could you|would you))\\s*\\b(${anyOf(WORDS)})\\b`,
  "gi",
);
const COUNT = /\bcount to (\d+)\b/i;
/** What stands before the next command, or is left of the one before. */
const LOOSE_END = /[\s,;]*\b(?:(?:and|then|also|please|can you|could you|would you)[\s,;]*)*$/i;

/** Text around a command does not matter. */
export function readQuestion(text: string): Question {
  const number = COUNT.exec(text)?.[1];
  const asked = number === undefined ? commandsOf(text.slice(0, READ)) : [];
  const calls = asked.flatMap((one) => ("calls" in one ? one.calls : []));
  return {
    countTo: number === undefined ? undefined : Number(number),
    thought: asked.map((one) => ("thought" in one ? one.thought : undefined)).find((one) => one !== undefined),
    plan: asked.map((one) => ("plan" in one ? one.plan : undefined)).find((one) => one !== undefined),
    calls: calls.slice(0, MAX_CALLS),
    tooMany: calls.length > MAX_CALLS,
  };
}

function commandsOf(text: string): Asked[] {
  const found = [...text.matchAll(COMMAND)];
  return found.flatMap((match, i): Asked[] => {
    const command = (match[1] ?? match[2] ?? "").toLowerCase();
    const read = PHRASES[command] ?? WORDS[command];
    const rest = text
      .slice(match.index + match[0].length, found[i + 1]?.index)
      .replace(/^[\s:]+/, "")
      .replace(LOOSE_END, "");
    return read === undefined ? [] : [read(rest)];
  });
}

/** A call for each that it lists; what stands in quotes is one. */
function each(rest: string, name: string, arg: string, separator: RegExp, end = SENTENCE_END): Asked {
  const whole = rest.replace(end, "");
  const quoted = /^["“'](.*)["”']$/.exec(whole)?.[1];
  const parts = quoted === undefined ? whole.split(separator) : [quoted];
  return { calls: parts.flatMap((part) => named(name, arg, part.replace(end, "").trim())) };
}

const named = (name: string, arg: string, value: string): Call[] =>
  value === "" ? [] : [{ name, args: { [arg]: value } }];
