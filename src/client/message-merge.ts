import type { Message, Part } from "../protocol/shapes.ts";

/**
 * A message that is sent whole meets the one that is here. What is complete is never replaced by what streams; what
 * streams keeps its text, which deltas made, unless a snapshot says otherwise; text that was fetched is not lost to a
 * cut one. Answers `before` itself where nothing changes.
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
  const merged: Message = { ...incoming, parts };
  return sameMessage(before, merged) ? before : merged;
}

/** The same array where no part differs; otherwise the same objects for those that do not. */
function mergeParts(before: Message["parts"], incoming: Message["parts"]): Message["parts"] {
  const parts = incoming.map((part, i) => mergePart(before[i], part));
  return parts.length === before.length && parts.every((part, i) => part === before[i]) ? before : parts;
}

function mergePart(before: Part | undefined, incoming: Part): Part {
  if (before === undefined) return incoming;
  const whole = incoming.length ?? incoming.text.length;
  const known = before.length ?? before.text.length;
  // The same text, of which the one that is here may have more.
  const same = known === whole && before.text.length >= incoming.text.length && before.text.startsWith(incoming.text);
  return same ? before : incoming;
}

const sameMessage = (a: Message, b: Message): boolean =>
  a.status === b.status &&
  a.parts === b.parts &&
  a.parentId === b.parentId &&
  a.runId === b.runId &&
  a.author === b.author &&
  a.role === b.role &&
  a.createdAt === b.createdAt &&
  a.conversationId === b.conversationId;
