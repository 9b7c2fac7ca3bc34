/**
 * What events do to the parts of a message [W5]: the changed message, the same object where nothing changes, or "gap"
 * where something before the event is missing.
 *
 * Three kinds of parts grow: text, reasoning, and the arguments of a tool call, as JSON text. A text that came cut has
 * `length` (the whole) and `text` (the beginning): deltas past its beginning only lengthen it, and their text is
 * fetched later, with all that is between. A call takes deltas while it is `streaming`; later on its part comes whole.
 */
import type { DeltaEvent, ParleyEvent } from "../protocol/events.ts";
import type { Message, Part, ReasoningPart, TextPart, ToolPart, ToolStatus } from "../protocol/shapes.ts";
import { mergePart } from "./message-merge.ts";

type EventOf<Type extends ParleyEvent["type"]> = Extract<ParleyEvent, { readonly type: Type }>;
type Worded = TextPart | ReasoningPart;
export type Edited = Message | "gap";

const lengthOf = (part: Worded): number => part.length ?? part.text.length;

const withPart = (message: Message, index: number, part: Part): Message => ({
  ...message,
  parts: message.parts.with(index, part),
});
const withNext = (message: Message, part: Part): Message => ({ ...message, parts: [...message.parts, part] });

// ── begin ───────────────────────────────────────────────────────────────────────────────────────────────────────

export function start(
  message: Message,
  event: EventOf<"TEXT_MESSAGE_START" | "REASONING_MESSAGE_START" | "TOOL_CALL_START">,
): Edited {
  const { partIndex } = event;
  const { parts } = message;
  if (partIndex > parts.length) return "gap";
  const begun = emptyPart(event);
  const there = parts[partIndex];
  if (there === undefined) return withNext(message, begun);
  return sameKind(there, begun) ? message : withPart(message, partIndex, begun);
}

function emptyPart(event: EventOf<"TEXT_MESSAGE_START" | "REASONING_MESSAGE_START" | "TOOL_CALL_START">): Part {
  switch (event.type) {
    case "TEXT_MESSAGE_START":
      return { type: "text", text: "" };
    case "REASONING_MESSAGE_START":
      return { type: "reasoning", text: "" };
    case "TOOL_CALL_START": {
      const { toolCallId, toolCallName: name } = event;
      return { type: "tool", toolCallId, name, args: {}, argsText: "", status: "streaming" };
    }
  }
}

const sameKind = (a: Part, b: Part): boolean =>
  a.type === "tool" ? b.type === "tool" && a.toolCallId === b.toolCallId : a.type === b.type;

// ── grow ────────────────────────────────────────────────────────────────────────────────────────────────────────

export function grow(message: Message, event: DeltaEvent): Edited {
  switch (event.type) {
    case "TEXT_MESSAGE_CONTENT":
      return growText(message, "text", event);
    case "REASONING_MESSAGE_CONTENT":
      return growText(message, "reasoning", event);
    case "TOOL_CALL_ARGS":
      return growArgs(message, event);
  }
}

function growText(message: Message, type: Worded["type"], { partIndex, offset, delta }: DeltaEvent): Edited {
  const part = message.parts[partIndex];
  if (part === undefined) {
    const begins = partIndex === message.parts.length && offset === 0;
    return begins ? withNext(message, { type, text: delta }) : "gap";
  }
  if (part.type !== type) return "gap";
  const known = lengthOf(part);
  const end = offset + delta.length;
  if (offset > known) return "gap";
  if (offset <= part.text.length) {
    if (end <= part.text.length) return message;
    return withPart(message, partIndex, grown(part, part.text + delta.slice(part.text.length - offset)));
  }
  return end <= known ? message : withPart(message, partIndex, { ...part, length: end });
}

/** `length` goes when nothing is missing any more. */
function grown({ length, ...part }: Worded, longer: string): Worded {
  return length === undefined || length <= longer.length
    ? { ...part, text: longer }
    : { ...part, text: longer, length };
}

function growArgs(message: Message, { partIndex, toolCallId, offset, delta }: EventOf<"TOOL_CALL_ARGS">): Edited {
  const part = message.parts[partIndex];
  if (part?.type !== "tool" || part.toolCallId !== toolCallId) return "gap";
  if (part.status !== "streaming" || part.length !== undefined) return message;
  const text = part.argsText ?? "";
  if (offset > text.length) return "gap";
  if (offset + delta.length <= text.length) return message;
  return withPart(message, partIndex, { ...part, argsText: text + delta.slice(text.length - offset) });
}

// ── end ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export function end(
  message: Message,
  event: EventOf<"TEXT_MESSAGE_END" | "REASONING_MESSAGE_END" | "TOOL_CALL_END">,
): Edited {
  if (!endsAt(message.parts[event.partIndex], event, message.parts.length)) return "gap";
  const status = event.type === "TEXT_MESSAGE_END" ? event.status : message.status;
  return status === message.status ? message : { ...message, status };
}

function endsAt(
  part: Part | undefined,
  event: EventOf<"TEXT_MESSAGE_END" | "REASONING_MESSAGE_END" | "TOOL_CALL_END">,
  next: number,
): boolean {
  const { length, partIndex } = event;
  switch (event.type) {
    case "TEXT_MESSAGE_END":
      return part === undefined
        ? length === 0 && partIndex === next
        : part.type === "text" && lengthOf(part) === length;
    case "REASONING_MESSAGE_END":
      return part?.type === "reasoning" && lengthOf(part) === length;
    case "TOOL_CALL_END":
      if (part?.type !== "tool" || part.toolCallId !== event.toolCallId) return false;
      return part.status !== "streaming" || part.length !== undefined || (part.argsText ?? "").length === length;
  }
}

// ── tool calls ──────────────────────────────────────────────────────────────────────────────────────────────────

const RANK: Readonly<Record<ToolStatus, number>> = {
  streaming: 0,
  pending: 1,
  // A call that was interrupted may go back and wait for a person [R5].
  waiting: 2,
  running: 2,
  completed: 3,
  failed: 3,
  denied: 3,
  stopped: 3,
};

/** An upsert: a call never goes back to what it was. */
export function putTool(message: Message, partIndex: number, part: ToolPart): Edited {
  const there = message.parts[partIndex];
  if (there === undefined) return partIndex === message.parts.length ? withNext(message, part) : "gap";
  if (!sameKind(there, part)) return withPart(message, partIndex, part);
  if (there.type === "tool" && RANK[part.status] < RANK[there.status]) return message;
  const merged = mergePart(there, part);
  return merged === there ? message : withPart(message, partIndex, merged);
}

/** Of a call that runs, the newest word. */
export function putProgress(
  message: Message,
  { partIndex, toolCallId, message: word, fraction }: Extract<ParleyEvent, { readonly name: "tool.progress" }>["value"],
): Message {
  const part = message.parts[partIndex];
  if (part?.type !== "tool" || part.toolCallId !== toolCallId || part.status !== "running") return message;
  const progress = { message: word, ...(fraction === undefined ? {} : { fraction }) };
  return withPart(message, partIndex, { ...part, progress });
}

/** The run has ended: what had not, was stopped. */
export function stopTools(parts: Message["parts"]): Message["parts"] {
  const open = (part: Part): part is ToolPart => part.type === "tool" && RANK[part.status] < RANK.stopped;
  return parts.some(open) ? parts.map((part) => (open(part) ? { ...part, status: "stopped" } : part)) : parts;
}

// ── back ────────────────────────────────────────────────────────────────────────────────────────────────────────

export function reset(
  message: Message,
  { partIndex, length }: { readonly partIndex: number; readonly length: number },
): Edited {
  const { parts } = message;
  if (length === 0) {
    if (partIndex > parts.length) return "gap";
    return partIndex === parts.length ? message : { ...message, parts: parts.slice(0, partIndex) };
  }
  const part = parts[partIndex];
  const cut = part === undefined ? undefined : shortened(part, length);
  if (cut === undefined) return "gap";
  return { ...message, parts: [...parts.slice(0, partIndex), cut] };
}

/** undefined: it is shorter, or does not grow. */
function shortened(part: Part, length: number): Part | undefined {
  switch (part.type) {
    case "text":
    case "reasoning":
      if (length > lengthOf(part)) return undefined;
      return length <= part.text.length ? { type: part.type, text: part.text.slice(0, length) } : { ...part, length };
    case "tool": {
      const text = part.argsText ?? "";
      return part.status !== "streaming" || length > text.length
        ? undefined
        : { ...part, argsText: text.slice(0, length) };
    }
    case "file":
      return undefined;
  }
}

// ── what was fetched ────────────────────────────────────────────────────────────────────────────────────────────

/** More of a cut text, placed by its offset. */
export function putRest(
  message: Message,
  input: { readonly partIndex: number; readonly offset: number; readonly text: string; readonly length: number },
): Message {
  const part = message.parts[input.partIndex];
  if ((part?.type !== "text" && part?.type !== "reasoning") || part.length === undefined) return message;
  if (input.offset > part.text.length) return message;
  const longer = part.text + input.text.slice(part.text.length - input.offset);
  const length = Math.max(part.length, input.length);
  return withPart(message, input.partIndex, grown({ ...part, length }, longer));
}

/** A call that came cut, whole; not when it has gone on meanwhile. */
export function putWhole(message: Message, partIndex: number, whole: ToolPart): Message {
  const part = message.parts[partIndex];
  if (part?.type !== "tool" || part.length === undefined || !sameKind(part, whole)) return message;
  return RANK[whole.status] < RANK[part.status] ? message : withPart(message, partIndex, whole);
}
