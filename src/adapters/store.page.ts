/** How much of a message fits: what a reader gets is bounded in bytes, and says so where it is cut. */
import { barePart } from "../protocol/cut-part.ts";
import type { Approval, Message, Part } from "../protocol/shapes.ts";

const encoder = new TextEncoder();
/** Bytes of a value as JSON. */
export const bytesOf = (value: unknown): number => encoder.encode(JSON.stringify(value)).length;

/** Bytes of the parts as JSON, as the column `bytes` has them. */
export const partsBytes = (json: string): number => encoder.encode(json).length;

/** Text that a message needs at least to be worth showing, bytes. */
const LEAST_BYTES = 2_048;
/** Room for `"length":` and its number. */
const LENGTH_BYTES = 32;

/**
 * Length in UTF-16 units of the longest beginning of `text` whose JSON string has at most `maxBytes` bytes inside its
 * quotes. Never inside a surrogate pair. The text is well-formed.
 */
export function fittingLength(text: string, maxBytes: number): number {
  let bytes = 0;
  for (let i = 0; i < text.length;) {
    const code = text.codePointAt(i) ?? 0;
    const units = code > 0xffff ? 2 : 1;
    bytes += jsonBytes(code);
    if (bytes > maxBytes) return i;
    i += units;
  }
  return text.length;
}

/** Bytes of a code point in a JSON string as JSON.stringify writes it (RFC 8259 §7). */
function jsonBytes(code: number): number {
  if (code === 0x22 || code === 0x5c) return 2;
  if (code < 0x20) return code === 8 || code === 9 || code === 10 || code === 12 || code === 13 ? 2 : 6;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

/** The message with its parts cut so that its JSON has about `maxBytes`; itself when it fits. */
export function cutMessage(message: Message, maxBytes: number): Message {
  const total = bytesOf(message);
  if (total <= maxBytes) return message;
  const least = message.parts.map(barePart);
  let left = Math.max(0, maxBytes - bytesOf({ ...message, parts: least }));
  const parts = message.parts.map((part, i) => {
    const smallest = bytesOf(least[i]);
    const cut = cutPart(part, left + smallest);
    left -= bytesOf(cut) - smallest;
    return cut;
  });
  return { ...message, parts };
}

export const fits = (value: unknown, maxBytes: number): boolean => bytesOf(value) <= maxBytes;

/** Itself when its JSON has at most `maxBytes`, else as much of it as fits, or the least that says what it is. */
function cutPart(part: Part, maxBytes: number): Part {
  if (bytesOf(part) <= maxBytes) return part;
  const bare = barePart(part);
  switch (part.type) {
    case "text":
    case "reasoning": {
      const length = fittingLength(part.text, maxBytes - bytesOf(bare));
      return length === part.text.length
        ? part
        : { ...part, text: part.text.slice(0, length), length: part.length ?? part.text.length };
    }
    case "tool":
    case "file":
      return bare;
  }
}

/** Without its arguments where they are long: the tool call's part has them, and `message.read` gives that whole. */
export const cutApproval = (approval: Approval, maxBytes: number): Approval =>
  bytesOf(approval) <= maxBytes ? approval : { ...approval, args: {} };

/** All of them, without their arguments from where these no longer fit. */
export function fitApprovals(approvals: readonly Approval[], maxBytes: number): Approval[] {
  let left = maxBytes;
  return approvals.map((approval) => {
    const cut = cutApproval(approval, left);
    left -= bytesOf(cut);
    return cut;
  });
}

/** Newest first in, oldest first out: as many as fit `maxBytes`, the last one cut, at least one. */
export function fitPage(newestFirst: readonly Message[], maxBytes: number): Message[] {
  const page: Message[] = [];
  let left = maxBytes;
  for (const message of newestFirst) {
    if (page.length > 0 && left < LEAST_BYTES) break;
    const cut = cutMessage(message, Math.max(left, LEAST_BYTES));
    page.push(cut);
    left -= bytesOf(cut) + LENGTH_BYTES;
  }
  return page.reverse();
}
