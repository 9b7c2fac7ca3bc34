/** How the demo model tells a person what a tool answered. */
import { z } from "zod";
import type { ModelToolResult } from "../ports/model.ts";

/** UTF-16 units of an answer that the demo model has no words for. */
const SHOWN = 500;

/** The words for an answer of that shape; undefined for any other. */
const when =
  <T>(shape: z.ZodType<T>, say: (answer: T) => string) =>
  (answer: unknown): string | undefined => {
    const { data } = shape.safeParse(answer);
    return data === undefined ? undefined : say(data);
  };

const bullets = (items: readonly string[]): string => items.map((item) => `- ${item}`).join("\n");

const text = z.string();
const TELL: Readonly<Record<string, (answer: unknown) => string | undefined>> = {
  calculator: when(
    z.object({ expression: text, result: text }),
    ({ expression, result }) => `\`${expression}\` = ${result}`,
  ),
  clock: when(
    z.object({ time: text, weekday: text, date: text, timeZone: text }),
    ({ time, weekday, date, timeZone }) => `It is ${time} on ${weekday}, ${date} (${timeZone}).`,
  ),
  memory_save: when(z.object({ saved: text }), ({ saved }) => `I will remember: ${saved}`),
  memory_forget: when(z.object({ words: text, forgotten: z.int() }), ({ words, forgotten }) =>
    forgotten === 0
      ? `I remember nothing with the words: ${words}`
      : `I have forgotten ${forgotten === 1 ? "one memory" : `${forgotten} memories`} with the words: ${words}`,
  ),
  memory_search: when(z.object({ memories: z.array(z.object({ text })) }), ({ memories }) =>
    memories.length === 0
      ? "I remember nothing about that."
      : `I remember:\n\n${bullets(memories.map((memory) => memory.text))}`,
  ),
  research: when(
    z.object({ topic: text, outline: z.array(text), note: text }),
    ({ topic, outline, note }) => `What to ask about ${topic}:\n\n${bullets(outline)}\n\n${note}`,
  ),
  file_delete: when(z.object({ deleted: text }), ({ deleted }) => `The file ${deleted} is deleted.`),
};

export function tell({ name, content, isError }: ModelToolResult): string {
  if (isError) return `The tool ${name} did not do it. ${shown(content)}`;
  const told = Object.hasOwn(TELL, name) ? TELL[name]?.(parsed(content)) : undefined;
  return told ?? `The tool ${name} answered: ${shown(content)}`;
}

/** undefined: a result that was cut is no JSON any more. */
function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

const shown = (content: string): string =>
  content.length <= SHOWN ? content : `${content.slice(0, SHOWN - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
