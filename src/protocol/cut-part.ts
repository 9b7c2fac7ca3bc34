/** Parts that are too large for where they go: what of them is left, and how they say so (`length`). */
import type { Part, ToolPart } from "./shapes.ts";

/** UTF-16 units that are left of a sentence. */
const MAX_SENTENCE = 200;

/** Cuts to at most `length` UTF-16 units, never inside a surrogate pair. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/** What `message.read` gives of a part: its text; of a part without one its JSON. */
export const readableText = (part: Part): string =>
  part.type === "text" || part.type === "reasoning" ? part.text : JSON.stringify(part);

/** The call without what may be left out of it: name, id and status stay. */
export function bareToolPart(part: ToolPart): ToolPart {
  const { args: _args, argsText: _argsText, result: _result, error, progress, ...rest } = part;
  return {
    ...rest,
    args: {},
    ...(error === undefined ? {} : { error: cutText(error, MAX_SENTENCE) }),
    ...(progress === undefined ? {} : { progress: { ...progress, message: cutText(progress.message, MAX_SENTENCE) } }),
    length: part.length ?? JSON.stringify(part).length,
  };
}

/** The part without what may be left out of it. */
export function barePart(part: Part): Part {
  switch (part.type) {
    case "text":
    case "reasoning":
      return part.text === "" ? part : { ...part, text: "", length: part.length ?? part.text.length };
    case "tool":
      return bareToolPart(part);
    case "file":
      return part;
  }
}
