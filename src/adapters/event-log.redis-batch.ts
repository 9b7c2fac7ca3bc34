/** Appends as arguments of the script, and its answer as results (`event-log.redis-append.ts` has the forms of both). */
import type { Accumulate, Append, AppendResult } from "../ports/event-log.ts";
import { encodeKind, encodeRecord, tagged, untagged } from "./event-log.redis-records.ts";

/** Of one topic: entries that follow each other and are of one writer, epoch and fence. */
interface Group {
  /** Where each of its appends stands in the caller's batch. */
  readonly places: number[];
  readonly first: Append;
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
    if (groups === undefined) topics.set(append.topic, [{ places: [place], first: append }]);
    else if (last !== undefined && follows(last, append)) last.places.push(place);
    else groups.push({ places: [place], first: append });
  }
  const keys: string[] = [];
  const args: Argument[] = [];
  const all: Group[] = [];
  for (const [topic, groups] of topics) {
    keys.push(key(topic));
    args.push(tagged(topic), groups.length);
    for (const group of groups) {
      all.push(group);
      pushGroup(args, batch, group);
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

/** Is it the next of the group? */
function follows({ first, places }: Group, { epoch, identity }: Append): boolean {
  if (epoch !== first.epoch) return false;
  if (!("writer" in identity)) return !("writer" in first.identity);
  if (!("writer" in first.identity)) return false;
  const { writer, n, fence } = first.identity;
  return identity.writer === writer && identity.fence === fence && identity.n === n + places.length;
}

function pushGroup(args: Argument[], batch: readonly Append[], { first, places }: Group): void {
  const { epoch, identity } = first;
  const fenced = "writer" in identity;
  args.push(epoch === null ? "" : tagged(epoch));
  if (fenced) args.push(tagged(identity.writer), identity.fence, identity.n);
  else args.push("", 0, 0);
  args.push(places.length);
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
    if (line.charCodeAt(0) === 0x2b && !line.includes(" ")) {
      const first = Number(line.slice(1));
      for (let k = 0; k < places.length; k++) results[places[k] ?? 0] = { ok: true, seq: first + k, duplicate: false };
      continue;
    }
    const items = line.startsWith("E") || line.startsWith("W") ? [line] : line.split(" ");
    for (const [k, place] of places.entries()) results[place] = decodeItem(items[k] ?? items[0] ?? "");
  }
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
      return { ok: false, reason: "WRONG_EPOCH", epoch: untagged(rest) };
    case "F":
      return { ok: false, reason: "FENCED", fence: Number(rest) };
    case "H":
      return { ok: false, reason: "HOLE", expected: Number(rest) };
    default:
      throw new Error("The log's script gave an answer without a form.");
  }
}
