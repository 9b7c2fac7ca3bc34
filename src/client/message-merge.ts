import type { Message, Part, ToolPart } from "../protocol/shapes.ts";
import { sameJson } from "./same-json.ts";

/**
 * A message that is sent whole meets the one that is here. What is complete is never replaced by what streams; what
 * streams keeps its parts, which events made, unless a snapshot says otherwise; text that was fetched is not lost to a
 * cut one, nor a parent to what was said before it had one. Answers `before` itself where nothing changes.
 */
export function mergeMessage(
  before: Message | undefined,
  incoming: Message,
  from: "event" | "snapshot" = "event",
): Message {
  if (before === undefined) return incoming;
  const streams = incoming.status === "streaming";
  if (streams && before.status !== "streaming") return before;
  const keep = streams && from === "event";
  const parts = keep ? before.parts : mergeParts(before.parts, incoming.parts);
  const merged: Message = { ...incoming, parentId: incoming.parentId ?? before.parentId, parts };
  return sameMessage(before, merged) ? before : merged;
}

/** The same array where no part differs; otherwise the same objects for those that do not. */
function mergeParts(before: Message["parts"], incoming: Message["parts"]): Message["parts"] {
  const parts = incoming.map((part, i) => mergePart(before[i], part));
  return parts.length === before.length && parts.every((part, i) => part === before[i]) ? before : parts;
}

/** `before` itself where it says the same, or more of it. */
export function mergePart(before: Part | undefined, incoming: Part): Part {
  if (before === undefined) return incoming;
  if (before.type === "tool" && incoming.type === "tool") return mergeTool(before, incoming);
  const worded = incoming.type === "text" || incoming.type === "reasoning";
  if (!worded || incoming.type !== before.type) return sameJson(before, incoming) ? before : incoming;
  const whole = incoming.length ?? incoming.text.length;
  const known = before.length ?? before.text.length;
  // The same text, of which the one that is here may have more.
  const same = known === whole && before.text.length >= incoming.text.length && before.text.startsWith(incoming.text);
  return same ? before : incoming;
}

/** A call that was fetched whole stays so, and one that runs keeps the last word that was heard of it. */
function mergeTool(before: ToolPart, incoming: ToolPart): ToolPart {
  const goesOn = before.toolCallId === incoming.toolCallId && before.status === incoming.status;
  if (goesOn && incoming.length !== undefined && before.length === undefined) return before;
  const word = goesOn && incoming.progress === undefined ? before.progress : undefined;
  const merged = word === undefined ? incoming : { ...incoming, progress: word };
  return sameJson(before, merged) ? before : merged;
}

function sameMessage(before: Message, merged: Message): boolean {
  const { parts, ...rest } = merged;
  const { parts: partsBefore, ...restBefore } = before;
  return parts === partsBefore && sameJson(restBefore, rest);
}
