/** Appends as arguments of the script, and its answer as results (`event-log.redis-append.ts` has the forms of both). */
import type { Accumulate, Append, AppendResult } from "../ports/event-log.ts";
import { encodeKind, encodeRecord } from "./event-log.redis-records.ts";

/** Of one topic: entries that follow each other and are of one writer, epoch and fence. */
interface Group {
  /** Where each of its appends stands in the caller's batch. */
  readonly places: number[];
  readonly first: Append;
  /** Of a group of deltas, which all extend one part: the offset of the next. */
  offset: number | undefined;
}

type Argument = string | number;

export interface AppendCall {
  readonly keys: readonly string[];
  /** A JSON array. */
  readonly body: string;
  readonly groups: readonly Group[];
}

/** `key` makes the key of a topic's meta. */
export function encodeAppends(
  batch: readonly Append[],
  places: Iterable<number>,
  key: (topic: string) => string,
): AppendCall {
  const topics = new Map<string, Group[]>();
  for (const place of places) {
    const append = batch[place];
    if (append === undefined) continue;
    const groups = topics.get(append.topic);
    const last = groups?.at(-1);
    const offset = endOfDelta(append);
    if (last !== undefined && follows(last, append, offset)) {
      last.places.push(place);
      last.offset = offset;
      continue;
    }
    const group = { places: [place], first: append, offset };
    if (groups === undefined) topics.set(append.topic, [group]);
    else groups.push(group);
  }
  const keys: string[] = [];
  const args: Argument[] = [];
  const all: Group[] = [];
  for (const [topic, groups] of topics) {
    keys.push(key(topic));
    args.push(groups.length);
    for (const group of groups) {
      all.push(group);
      if (group.offset === undefined) pushGroup(args, batch, group);
      else pushDeltas(args, batch, group);
    }
  }
  return { keys, body: encodeBody(args), groups: all };
}

/** Half a surrogate pair, which JSON escapes and the server's parser refuses, is written as U+FFFD. */
function encodeBody(args: readonly Argument[]): string {
  const body = JSON.stringify(args);
  if (!body.includes("\\ud")) return body;
  return JSON.stringify(args.map((arg) => (typeof arg === "string" ? arg.toWellFormed() : arg)));
}

/** Where the text ends that a numbered delta extends its part by; undefined for whatever else. */
function endOfDelta({ epoch, identity, accumulate, delta }: Append): number | undefined {
  if (epoch === null || accumulate?.kind !== "extend" || delta === undefined || !("writer" in identity))
    return undefined;
  const { messageId, partIndex, offset, text } = delta;
  const { delta: extension } = accumulate;
  const same =
    accumulate.messageId === messageId &&
    accumulate.partIndex === partIndex &&
    accumulate.offset === offset &&
    extension === text;
  return same ? offset + text.length : undefined;
}

/** Is it the next of the group? */
function follows(
  { first, places, offset }: Group,
  { epoch, identity, delta }: Append,
  end: number | undefined,
): boolean {
  if (epoch !== first.epoch || (offset === undefined) !== (end === undefined)) return false;
  if (offset !== undefined) {
    if (delta?.offset !== offset) return false;
    if (delta.messageId !== first.delta?.messageId || delta.partIndex !== first.delta.partIndex) return false;
  }
  if (!("writer" in identity)) return !("writer" in first.identity);
  if (!("writer" in first.identity)) return false;
  const { writer, n, fence } = first.identity;
  return identity.writer === writer && identity.fence === fence && identity.n === n + places.length;
}

function pushDeltas(args: Argument[], batch: readonly Append[], { first, places }: Group): void {
  const { epoch, identity, delta } = first;
  if (delta === undefined || !("writer" in identity)) throw new Error("The group has no deltas.");
  const whose = `${identity.writer}\n${delta.partIndex}:${delta.messageId}`;
  args.push(places.length, epoch ?? "", whose, identity.fence, identity.n, delta.offset);
  for (const place of places) {
    const append = batch[place];
    if (append?.delta === undefined) continue;
    const { text } = append.delta;
    const bytes = Buffer.byteLength(text);
    args.push(encodeRecord(append.event, append.delta));
    if (bytes === text.length) args.push(bytes);
    else args.push(-text.length, bytes);
  }
}

function pushGroup(args: Argument[], batch: readonly Append[], { first, places }: Group): void {
  const { epoch, identity } = first;
  args.push(-places.length, epoch ?? "");
  if ("writer" in identity) args.push(identity.writer, identity.fence, identity.n);
  else args.push("", 0, 0);
  for (const place of places) {
    const append = batch[place];
    if (append === undefined) continue;
    if ("eventId" in append.identity) args.push(append.identity.eventId);
    args.push(encodeRecord(append.event, append.delta));
    if (append.accumulate === undefined) args.push("");
    else pushAccumulate(args, append.accumulate);
  }
}

function pushAccumulate(args: Argument[], change: Accumulate): void {
  switch (change.kind) {
    case "extend": {
      const { messageId, partIndex, offset, delta } = change;
      args.push("x", `${partIndex}:${messageId}`, offset, delta.length, delta);
      return;
    }
    case "reset": {
      const { messageId, partIndex, length, part } = change;
      args.push("r", messageId, partIndex, length, part === undefined ? "" : `b${encodeKind(part)}`);
      return;
    }
    case "drop":
      args.push("d", change.messageId);
  }
}

/** Puts the results of a call where its appends stand. */
export function decodeResults(answer: string, { groups }: AppendCall, results: AppendResult[]): void {
  const lines = answer.split("\n");
  for (const [i, { places }] of groups.entries()) {
    const line = lines[i] ?? "";
    const first = firstOf(line);
    if (first !== undefined) {
      for (let k = 0; k < places.length; k++) results[places[k] ?? 0] = { ok: true, seq: first + k, duplicate: false };
      continue;
    }
    const items = line.startsWith("E") || line.startsWith("W") ? [line] : line.split(" ");
    for (const [k, place] of places.entries()) results[place] = decodeItem(items[k] ?? items[0] ?? "");
  }
}

/** Of a line that says that all of its group were appended: "<seq>-0" or "+<seq>". */
function firstOf(line: string): number | undefined {
  if (line.endsWith("-0")) return Number(line.slice(0, -2));
  return line.startsWith("+") && !line.includes(" ") ? Number(line.slice(1)) : undefined;
}

function decodeItem(item: string): AppendResult {
  const rest = item.slice(1);
  switch (item.charAt(0)) {
    case "+":
      return { ok: true, seq: Number(rest), duplicate: false };
    case "=":
      return { ok: true, seq: Number(rest), duplicate: true };
    case "E":
      return { ok: false, reason: "NO_EPOCH" };
    case "W":
      return { ok: false, reason: "WRONG_EPOCH", epoch: rest };
    case "F":
      return { ok: false, reason: "FENCED", fence: Number(rest) };
    case "H":
      return { ok: false, reason: "HOLE", expected: Number(rest) };
    default:
      throw new Error("The log's script gave an answer without a form.");
  }
}
