/**
 * What stands for an entry in Redis and in a publication, as text. Lengths are UTF-16 units and come first, so that it
 * is taken apart without a search in what people wrote. A delta is kept as its text: its JSON is made again from it.
 *
 *   record       <units of the content>:<content>
 *   content      e<event JSON>
 *                t<part index>,<offset>,<units>,<message id><text>                      a text's delta
 *                r…                                                                     a reasoning's
 *                c<part index>,<offset>,<units>,<units>,<message id><tool call id><text>   a tool call's arguments
 *   read         (<ms since 1970>,<record>)…
 *   publication  (<key of the topic>⏎<epoch>⏎<first seq>-0,<ms since 1970>,<number of records>:<record>…)…
 *   kind         t │ r │ c<units>:<tool call id><name>
 */
import type { DeltaKey, LogEntry, PartKind, Published } from "../ports/event-log.ts";
import { deltaHead, deltaPart, encodeDelta } from "../protocol/codec.ts";

const LETTERS = { text: "t", reasoning: "r", tool: "c" } as const;

export function encodeRecord(event: string, delta: DeltaKey | undefined): string {
  if (delta === undefined) return `${event.length + 1}:e${event}`;
  const { part, messageId, partIndex, offset, text, toolCallId = "" } = delta;
  const tool = part === "tool" ? `${toolCallId.length},` : "";
  const head = `${LETTERS[part]}${partIndex},${offset},${messageId.length},${tool}${messageId}`;
  return `${head.length + toolCallId.length + text.length}:${head}${toolCallId}${text}`;
}

export const encodeKind = (kind: PartKind): string =>
  kind.type === "tool" ? `c${kind.toolCallId.length}:${kind.toolCallId}${kind.name}` : LETTERS[kind.type];

export function decodeKind(text: string): PartKind {
  if (text === "t") return { type: "text" };
  if (text === "r") return { type: "reasoning" };
  const reader = new Reader(text, 1);
  return { type: "tool", toolCallId: reader.take(reader.number()), name: text.slice(reader.at) };
}

/** The JSON that all deltas of a part begin with, for the part that was asked for last. */
export class DeltaHeads {
  #key: Omit<DeltaKey, "offset" | "text"> | undefined = undefined;
  #head = "";

  of(key: DeltaKey): string {
    const known = this.#key;
    const same =
      known?.partIndex === key.partIndex &&
      known.messageId === key.messageId &&
      known.part === key.part &&
      known.toolCallId === key.toolCallId;
    if (!same) {
      this.#key = key;
      this.#head = deltaHead(deltaPart(key), key.messageId, key.partIndex);
    }
    return this.#head;
  }
}

/** A text and how far it has been read. It was written by a script of ours, so it has its form. */
class Reader {
  readonly text: string;
  at: number;

  constructor(text: string, at = 0) {
    this.text = text;
    this.at = at;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** Digits and the character after them. */
  number(): number {
    let value = 0;
    for (;;) {
      const digit = this.text.charCodeAt(this.at++) - 0x30;
      if (!(digit >= 0 && digit <= 9)) return value;
      value = value * 10 + digit;
    }
  }

  take(units: number): string {
    const from = this.at;
    this.at += units;
    return this.text.slice(from, this.at);
  }

  line(): string {
    const from = this.at;
    const end = this.text.indexOf("\n", from);
    this.at = end + 1;
    return this.text.slice(from, end);
  }

  /** Of this seq, taken by the log at this time. */
  record(seq: number, ts: string, heads: DeltaHeads): LogEntry {
    const units = this.number();
    const end = this.at + units;
    const letter = this.text.charCodeAt(this.at++);
    if (letter === 0x65) {
      const event = this.text.slice(this.at, end);
      this.at = end;
      return { seq, ts, event };
    }
    const partIndex = this.number();
    const offset = this.number();
    const idUnits = this.number();
    const isTool = letter === 0x63;
    const toolUnits = isTool ? this.number() : 0;
    const messageId = this.take(idUnits);
    const toolCallId = this.take(toolUnits);
    const text = this.take(end - this.at);
    const part = isTool ? "tool" : letter === 0x72 ? "reasoning" : "text";
    const key = { part, messageId, partIndex, offset, text } as const;
    const delta: DeltaKey = isTool ? { ...key, toolCallId } : key;
    return { seq, ts, event: encodeDelta(heads.of(delta), offset, text), delta };
  }

  skipRecords(count: number): void {
    for (let left = count; left > 0; left--) this.at = this.number() + this.at;
  }
}

export function decodeEntries(text: string, first: number): LogEntry[] {
  const reader = new Reader(text);
  const heads = new DeltaHeads();
  const entries: LogEntry[] = [];
  let time = -1;
  let ts = "";
  for (let seq = first; !reader.done; seq++) {
    const next = reader.number();
    if (next !== time) ts = new Date(next).toISOString();
    time = next;
    entries.push(reader.record(seq, ts, heads));
  }
  return entries;
}

/** Calls back for each topic that `heads` knows; the others are passed over. A key is the prefix and the topic. */
export function decodePublication(
  text: string,
  prefix: string,
  heads: (topic: string) => DeltaHeads | undefined,
  tell: (topic: string, published: Published) => void,
): void {
  const reader = new Reader(text);
  let time = -1;
  let ts = "";
  while (!reader.done) {
    reader.at += prefix.length;
    const topic = reader.line();
    const epoch = reader.line();
    const first = reader.number();
    reader.number();
    const next = reader.number();
    const count = reader.number();
    const known = heads(topic);
    if (known === undefined) {
      reader.skipRecords(count);
      continue;
    }
    if (next !== time) ts = new Date(next).toISOString();
    time = next;
    const entries: LogEntry[] = [];
    for (let seq = first; seq < first + count; seq++) entries.push(reader.record(seq, ts, known));
    tell(topic, { epoch, entries });
  }
}
