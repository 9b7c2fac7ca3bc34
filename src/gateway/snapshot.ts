/**
 * What a subscriber starts from: the store's rows with the streaming text from the log's accumulators over them [L11],
 * cut to fit a frame [L7].
 *
 * A text that does not fit is cut and carries its `length`. Where deltas can follow (a subscription), the streaming
 * message is cut without `length`, and the rest is given back as `TextRest`, to be sent as ordinary deltas.
 */
import type { Accumulator } from "../ports/event-log.ts";
import type { Message, Part } from "../protocol/shapes.ts";
import { jsonBytes, jsonFit } from "./json-text.ts";

/** The text of a part from `offset` on is still to be sent. */
export interface TextRest {
  readonly messageId: string;
  readonly partIndex: number;
  readonly offset: number;
  /** The whole part. */
  readonly text: string;
}

export interface Fitted {
  /** Oldest first; the newest of what was given. */
  readonly messages: readonly Message[];
  /** Older ones had to be left out. */
  readonly leftOut: boolean;
  readonly rest: readonly TextRest[];
}

/** JSON bytes that one message may take while others want room too. */
const MESSAGE_SHARE = 64 * 1024;
/** A message is not cut to less than this; it is left out instead. */
const LEAST_SHARE = 4 * 1024;
/** JSON bytes of a part beside its text: type, length, punctuation. */
const PART_OVERHEAD = 56;

const NO_REST: readonly TextRest[] = [];

/**
 * Puts the accumulated parts over those of streaming messages. A finished row beats the accumulators; parts are
 * replaced by index, never concatenated.
 */
export function overlay(messages: readonly Message[], accumulators: readonly Accumulator[]): readonly Message[] {
  if (accumulators.length === 0) return messages;
  return messages.map((message) => {
    if (message.status !== "streaming") return message;
    const own = accumulators.filter((accumulator) => accumulator.messageId === message.id);
    if (own.length === 0) return message;
    const parts: Part[] = [...message.parts];
    for (const { partIndex, text } of own.toSorted((a, b) => a.partIndex - b.partIndex)) {
      while (parts.length < partIndex) parts.push({ type: "text", text: "" });
      parts[partIndex] = { type: "text", text };
    }
    return { ...message, parts };
  });
}

/**
 * The newest messages that fit `budget` JSON bytes. A streaming message and all after it are kept, cut if need be;
 * older ones as far as there is room. `deltasFollow`: the rest of streaming texts can be sent as deltas.
 */
export function fitMessages(messages: readonly Message[], budget: number, deltasFollow: boolean): Fitted {
  const streaming = messages.findIndex((message) => message.status === "streaming");
  const required = streaming < 0 ? messages.length - 1 : streaming;
  const kept: Message[] = [];
  const rest: TextRest[] = [];
  let room = budget;
  for (let i = messages.length - 1; i >= 0; i--) {
    const message = messages[i];
    if (message === undefined) break;
    const share = i >= required ? Math.floor(room / (i - required + 1)) : room;
    const fitted = fitMessage(message, Math.min(share, MESSAGE_SHARE), deltasFollow);
    if (fitted.bytes > room || (i < required && share < LEAST_SHARE && fitted.cut)) break;
    kept.push(fitted.message);
    rest.push(...fitted.rest);
    room -= fitted.bytes + 1;
  }
  return { messages: kept.toReversed(), leftOut: kept.length < messages.length, rest };
}

interface FittedMessage {
  readonly message: Message;
  readonly bytes: number;
  readonly cut: boolean;
  readonly rest: readonly TextRest[];
}

function fitMessage(message: Message, maxBytes: number, deltasFollow: boolean): FittedMessage {
  const whole = jsonBytes(message);
  if (whole <= maxBytes) return { message, bytes: whole, cut: false, rest: NO_REST };
  const continued = deltasFollow && message.status === "streaming";
  const rest: TextRest[] = [];
  let room = maxBytes - jsonBytes({ ...message, parts: [] }) - PART_OVERHEAD * message.parts.length;
  const parts = message.parts.map((part, partIndex): Part => {
    const end = jsonFit(part.text, 0, Math.max(0, room));
    const text = part.text.slice(0, end);
    room -= jsonBytes(text) - 2;
    if (end === part.text.length) return part;
    if (!continued) return { type: "text", text, length: part.length ?? part.text.length };
    rest.push({ messageId: message.id, partIndex, offset: end, text: part.text });
    return { type: "text", text };
  });
  const fitted = { ...message, parts };
  return { message: fitted, bytes: jsonBytes(fitted), cut: true, rest };
}
