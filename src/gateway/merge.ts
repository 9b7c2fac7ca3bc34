/**
 * Log entries → frames of at most 128 KiB [W11].
 *
 * A reader who catches up gets adjacent deltas of one part as one item `fromSeq`…`seq`, never across another event
 * [W5]. A live reader gets each entry as it is: its JSON was made when it was appended [L8].
 */
import type { DeltaKey, LogEntry } from "../ports/event-log.ts";
import {
  deltaHead,
  deltaPart,
  encodeDelta,
  encodeEvent,
  encodeEvents,
  encodeItem,
  type FrameHead,
} from "../protocol/codec.ts";
import { MAX_FRAME_OUT } from "../protocol/constants.ts";

/** What is left for items beside a frame's topic, epoch and punctuation. */
const ROOM = MAX_FRAME_OUT - 1024;
/** UTF-16 units of a merged delta: even if each takes 6 bytes as JSON, the event stays below 64 KiB. */
export const MERGED_UNITS = 10_000;

const joins = (left: DeltaKey, right: DeltaKey): boolean =>
  left.part === right.part &&
  left.toolCallId === right.toolCallId &&
  left.messageId === right.messageId &&
  left.partIndex === right.partIndex &&
  left.offset + left.text.length === right.offset;

/** Entries as the items of a frame, deltas merged. */
export function mergedItems(entries: readonly LogEntry[]): string[] {
  const items: string[] = [];
  for (let i = 0; i < entries.length;) {
    const first = entries[i];
    if (first === undefined) break;
    let last = first;
    let text = first.delta?.text ?? "";
    for (i++; i < entries.length; i++) {
      const next = entries[i];
      if (next?.delta === undefined || last.delta === undefined || !joins(last.delta, next.delta)) break;
      if (text.length + next.delta.text.length > MERGED_UNITS) break;
      text += next.delta.text;
      last = next;
    }
    items.push(encodeItem(first.seq, last.seq, last.ts, last === first ? first.event : mergedEvent(first, text)));
  }
  return items;
}

function mergedEvent(first: LogEntry, text: string): string {
  if (first.delta === undefined) return first.event;
  const { messageId, partIndex, offset } = first.delta;
  return encodeDelta(deltaHead(deltaPart(first.delta), messageId, partIndex), offset, text);
}

/** Items in as few frames as hold them. `head` is `frameHead` of their topic and epoch. */
export function packFrames(head: FrameHead, items: readonly string[]): string[] {
  const frames: string[] = [];
  let from = 0;
  let room = ROOM;
  for (let i = 0; i < items.length; i++) {
    const bytes = Buffer.byteLength(items[i] ?? "") + 3;
    if (bytes > room && i > from) {
      frames.push(encodeFrame(head, items.slice(from, i)));
      from = i;
      room = ROOM;
    }
    room -= bytes;
  }
  if (from < items.length) frames.push(encodeFrame(head, from === 0 ? items : items.slice(from)));
  return frames;
}

function encodeFrame(head: FrameHead, items: readonly string[]): string {
  const [only] = items;
  return items.length === 1 && only !== undefined ? encodeEvent(head, only) : encodeEvents(head, items);
}

/** One turn's new entries, but for the first `skip`, as frames: nearly always one. */
export function liveFrames(head: FrameHead, entries: readonly LogEntry[], skip: number): string[] {
  const [only] = entries;
  if (skip === 0 && entries.length === 1 && only !== undefined) {
    return [encodeEvent(head, encodeItem(only.seq, only.seq, only.ts, only.event))];
  }
  const items: string[] = [];
  for (let i = skip; i < entries.length; i++) {
    const entry = entries[i];
    if (entry !== undefined) items.push(encodeItem(entry.seq, entry.seq, entry.ts, entry.event));
  }
  return items.length === 1 ? [encodeFrame(head, items)] : packFrames(head, items);
}
