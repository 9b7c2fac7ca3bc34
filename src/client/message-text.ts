/**
 * What text events do to a streaming message [W5]: the changed message, the same object where nothing changes, or
 * "gap" where something before the event is missing.
 *
 * A part that came cut has `length` (the whole) and `text` (the beginning). Deltas past its beginning only lengthen it:
 * their text is fetched later, with all that is between.
 */
import type { ParleyEvent } from "../protocol/events.ts";
import type { Message, TextPart } from "../protocol/shapes.ts";

type TextEvent<Type extends ParleyEvent["type"]> = Extract<ParleyEvent, { readonly type: Type }>;
export type Edited = Message | "gap";

const EMPTY: TextPart = { type: "text", text: "" };

const lengthOf = (part: TextPart): number => part.length ?? part.text.length;

const withPart = (message: Message, index: number, part: TextPart): Message => ({
  ...message,
  parts: message.parts.with(index, part),
});

export function textStart(message: Message, { partIndex }: TextEvent<"TEXT_MESSAGE_START">): Edited {
  if (partIndex < message.parts.length) return message;
  return partIndex > message.parts.length ? "gap" : { ...message, parts: [...message.parts, EMPTY] };
}

export function text(message: Message, { partIndex, offset, delta }: TextEvent<"TEXT_MESSAGE_CONTENT">): Edited {
  const part = message.parts[partIndex];
  if (part === undefined) {
    const begins = partIndex === message.parts.length && offset === 0;
    return begins ? { ...message, parts: [...message.parts, { type: "text", text: delta }] } : "gap";
  }
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
function grown({ length, ...part }: TextPart, longer: string): TextPart {
  return length === undefined || length <= longer.length
    ? { ...part, text: longer }
    : { ...part, text: longer, length };
}

export function textEnd(message: Message, { partIndex, length, status }: TextEvent<"TEXT_MESSAGE_END">): Edited {
  const part = message.parts[partIndex];
  if (part === undefined && !(length === 0 && partIndex === message.parts.length)) return "gap";
  if (part !== undefined && lengthOf(part) !== length) return "gap";
  return status === message.status ? message : { ...message, status };
}

export function textReset(
  message: Message,
  { partIndex, length }: { readonly partIndex: number; readonly length: number },
): Edited {
  const kept = message.parts.slice(0, partIndex + 1);
  const part = kept[partIndex];
  if (part === undefined) {
    if (partIndex > message.parts.length || length > 0) return "gap";
    return kept.length === message.parts.length ? message : { ...message, parts: kept };
  }
  if (length > lengthOf(part)) return "gap";
  return { ...message, parts: kept.with(partIndex, shortened(part, length)) };
}

function shortened(part: TextPart, length: number): TextPart {
  return length <= part.text.length ? { type: "text", text: part.text.slice(0, length) } : { ...part, length };
}

/** What was fetched of a cut part, placed by its offset. */
export function rest(
  message: Message,
  input: { readonly partIndex: number; readonly offset: number; readonly text: string; readonly length: number },
): Message {
  const part = message.parts[input.partIndex];
  if (part?.length === undefined || input.offset > part.text.length) return message;
  const longer = part.text + input.text.slice(part.text.length - input.offset);
  const length = Math.max(part.length, input.length);
  return withPart(message, input.partIndex, grown({ ...part, length }, longer));
}
