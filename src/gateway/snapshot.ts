/**
 * What a subscriber starts from: the store's rows with the streaming text from the log's accumulators over them [L11],
 * cut to fit a frame [L7].
 *
 * A text that does not fit is cut and carries its `length`; a tool call goes without arguments and result. Where deltas
 * can follow (a subscription), what grows now is cut without `length`, and the rest is given back as `PartRest`, to be
 * sent as ordinary deltas.
 */
import type { Accumulator } from "../ports/event-log.ts";
import type { DeltaPart } from "../protocol/codec.ts";
import { barePart, readableText } from "../protocol/cut-part.ts";
import type { Message, Part } from "../protocol/shapes.ts";
import { jsonBytes, jsonFit } from "./json-text.ts";

/** The text of a growing part from `offset` on is still to be sent. */
export interface PartRest {
  readonly messageId: string;
  readonly partIndex: number;
  readonly part: DeltaPart;
  readonly offset: number;
  /** The whole text. */
  readonly text: string;
}

export interface Fitted {
  /** Oldest first; the newest of what was given. */
  readonly messages: readonly Message[];
  /** Older ones had to be left out. */
  readonly leftOut: boolean;
  readonly rest: readonly PartRest[];
}

/** JSON bytes that one message may take while others want room too. */
const MESSAGE_SHARE = 64 * 1024;
/** The same of the message that streams, which is what people look at. */
const STREAMING_SHARE = 96 * 1024;
/** Room that each message after it is left: a text with files, cut. */
const FOLLOWER_SHARE = 3 * 1024;
/** A message is not cut to less than this; it is left out instead. */
const LEAST_SHARE = 4 * 1024;
/** JSON bytes of the member that a bare call does not have. */
const ARGS_TEXT = '"argsText":"",'.length;

const NO_REST: readonly PartRest[] = [];

/** A part as its accumulator has it. */
export function streamedPart({ part, text }: Accumulator): Part {
  return part.type === "tool" ? { ...part, args: {}, argsText: text, status: "streaming" } : { type: part.type, text };
}

/**
 * Adds the parts that grow now to those of streaming messages. A row beats the accumulators: the parts that it has are
 * those of finished steps.
 */
export function overlay(messages: readonly Message[], accumulators: readonly Accumulator[]): readonly Message[] {
  if (accumulators.length === 0) return messages;
  return messages.map((message) => {
    if (message.status !== "streaming") return message;
    const own = accumulators.filter(
      ({ messageId, partIndex }) => messageId === message.id && partIndex >= message.parts.length,
    );
    if (own.length === 0) return message;
    const parts: Part[] = [...message.parts];
    for (const accumulator of own.toSorted((a, b) => a.partIndex - b.partIndex)) {
      while (parts.length < accumulator.partIndex) parts.push({ type: "text", text: "" });
      parts[accumulator.partIndex] = streamedPart(accumulator);
    }
    return { ...message, parts };
  });
}

/** Message id → index of its first part whose rest may follow as deltas. */
export type GrowsFrom = ReadonlyMap<string, number>;

/** Nothing can follow. */
export const NOTHING_FOLLOWS: GrowsFrom = new Map();

/** The parts that rows do not have: those are in the log, which has as many seqs as their text needs. */
export const growsFrom = (rows: readonly Message[]): GrowsFrom =>
  new Map(rows.filter(({ status }) => status === "streaming").map(({ id, parts }) => [id, parts.length]));

/**
 * The newest messages that fit `budget` JSON bytes. A streaming message and all after it are kept, cut if need be;
 * older ones as far as there is room.
 */
export function fitMessages(messages: readonly Message[], budget: number, follows: GrowsFrom): Fitted {
  const at = messages.findIndex((message) => message.status === "streaming");
  const streaming = fitStreaming(messages, at, budget, follows);
  const required = at < 0 ? messages.length - 1 : at + 1;
  const kept: Message[] = [];
  const rest: PartRest[] = [];
  // The array's own brackets.
  let room = budget - 2 - (streaming === undefined ? 0 : streaming.bytes + 1);
  for (let i = messages.length - 1; i >= 0; i--) {
    const message = messages[i];
    if (message === undefined) break;
    const share = i >= required ? Math.floor(room / (i - required + 1)) : room;
    const fitted = i === at ? streaming : fitMessage(message, Math.min(share, MESSAGE_SHARE), Infinity);
    if (fitted === undefined) break;
    if (i !== at) {
      if (fitted.bytes > room || (i < required && share < LEAST_SHARE && fitted.cut)) break;
      room -= fitted.bytes + 1;
    }
    kept.push(fitted.message);
    rest.push(...fitted.rest);
  }
  return { messages: kept.toReversed(), leftOut: kept.length < messages.length, rest };
}

/** Before all others: a reader who does not have it can't take its deltas. */
function fitStreaming(
  messages: readonly Message[],
  at: number,
  budget: number,
  follows: GrowsFrom,
): FittedMessage | undefined {
  const message = messages[at];
  if (message === undefined) return undefined;
  const left = Math.max(budget / 2, budget - FOLLOWER_SHARE * (messages.length - 1 - at));
  return fitMessage(message, Math.min(left, STREAMING_SHARE), follows.get(message.id) ?? Infinity);
}

interface FittedMessage {
  readonly message: Message;
  readonly bytes: number;
  readonly cut: boolean;
  readonly rest: readonly PartRest[];
}

/** What grows has room first, the shortest first; then finished parts in their order. */
function fitMessage(message: Message, maxBytes: number, followsFrom: number): FittedMessage {
  const whole = jsonBytes(message);
  if (whole <= maxBytes) return { message, bytes: whole, cut: false, rest: NO_REST };
  let room = Math.max(0, maxBytes - jsonBytes({ ...message, parts: message.parts.map(barePart) }));
  const parts = [...message.parts];
  const rest: PartRest[] = [];
  for (const { part, partIndex, grows } of inTurn(message.parts, followsFrom)) {
    const fitted = fitPart(part, room, grows);
    room -= fitted.bytes;
    parts[partIndex] = fitted.part;
    if (fitted.rest !== undefined) rest.push({ messageId: message.id, partIndex, ...fitted.rest });
  }
  const fitted = { ...message, parts };
  return { message: fitted, bytes: jsonBytes(fitted), cut: true, rest };
}

function inTurn(parts: readonly Part[], followsFrom: number) {
  const all = parts.map((part, partIndex) => ({ part, partIndex, grows: partIndex >= followsFrom }));
  const growing = all.filter(({ grows }) => grows);
  const lengthOf = (part: Part): number => readableText(part).length;
  return [
    ...growing.toSorted((a, b) => lengthOf(a.part) - lengthOf(b.part)),
    ...all.slice(0, all.length - growing.length),
  ];
}

interface FittedPart {
  readonly part: Part;
  /** What it takes beside the bare part. */
  readonly bytes: number;
  readonly rest?: Pick<PartRest, "part" | "offset" | "text">;
}

/** As much of a part as `room` holds. `follows`: it is not cut, but followed by its rest. */
function fitPart(part: Part, room: number, follows: boolean): FittedPart {
  const bare = barePart(part);
  const more = jsonBytes(part) - jsonBytes(bare);
  if (more <= room) return { part, bytes: Math.max(0, more) };
  const grows = follows && !("length" in part);
  switch (part.type) {
    case "file":
      return { part, bytes: 0 };
    case "tool": {
      const { toolCallId, argsText: text, status } = part;
      if (!grows || status !== "streaming" || text === undefined) return { part: bare, bytes: 0 };
      const kept = beginning(text, room - ARGS_TEXT);
      return {
        part: { ...part, argsText: kept.text },
        bytes: kept.bytes + ARGS_TEXT,
        rest: { part: { type: "tool", toolCallId }, offset: kept.text.length, text },
      };
    }
    case "text":
    case "reasoning": {
      const { type, text } = part;
      const kept = beginning(text, room);
      if (!grows) return { part: { ...part, text: kept.text, length: part.length ?? text.length }, bytes: kept.bytes };
      const rest = { part: { type }, offset: kept.text.length, text };
      return { part: { type, text: kept.text }, bytes: kept.bytes, rest };
    }
  }
}

function beginning(text: string, room: number): { readonly text: string; readonly bytes: number } {
  const kept = text.slice(0, jsonFit(text, 0, room));
  return { text: kept, bytes: jsonBytes(kept) - 2 };
}
