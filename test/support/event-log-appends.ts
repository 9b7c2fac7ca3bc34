/** Short ways to write appends in tests of the log and of its users. */
import assert from "node:assert/strict";
import type { Accumulate, Append, AppendResult, EventLog, LogEntry, TopicState } from "../../src/ports/event-log.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import type { Position } from "../../src/protocol/shapes.ts";

export const newTopic = (): string => `conversation:${uuidv7()}`;

/** Repeats a call that was refused for the moment, as every caller of a log has to. */
export async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ParleyError && error.code === "UNAVAILABLE")) throw error;
    }
  }
  throw new Error("the call was refused 200 times");
}

export const marker = (name: string): string => JSON.stringify({ type: "CUSTOM", name });

export interface Fenced {
  readonly topic: string;
  readonly epoch: string | null;
  readonly writer?: string;
  readonly fence?: number;
  readonly accumulate?: Accumulate;
  readonly event?: string;
}

export const fenced = (n: number, { topic, epoch, writer = "w", fence = 1, accumulate, event }: Fenced): Append => ({
  topic,
  epoch,
  identity: { writer, n, fence },
  event: event ?? marker(`${writer}-${n}`),
  ...(accumulate === undefined ? {} : { accumulate }),
});

export const unfenced = (topic: string, eventId: string, more: Partial<Append> = {}): Append => ({
  topic,
  epoch: null,
  identity: { eventId },
  event: marker(eventId),
  ...more,
});

export const extend = (messageId: string, offset: number, delta: string, partIndex = 0): Accumulate => ({
  kind: "extend",
  messageId,
  partIndex,
  offset,
  delta,
});

/** Opens a topic as the owner of fence 1 and answers its epoch. */
export async function opened(log: EventLog, topic: string, fence = 1): Promise<string> {
  const epoch = uuidv7();
  const result = await insist(() => log.open({ topic, epoch, fence, accumulators: [], owner: true }));
  assert.ok(result.ok);
  return epoch;
}

export const append = (log: EventLog, ...batch: readonly Append[]): Promise<readonly AppendResult[]> =>
  insist(() => log.append(batch));

/** What a result says, without `duplicate`: a repeated call can't tell whether its first try was the duplicate. */
export const told = (result: AppendResult | undefined): number | string | undefined =>
  result?.ok === true ? result.seq : result?.reason;

/** Everything after a position, page by page. */
export async function readFrom(log: EventLog, topic: string, after: Position): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (let { seq } = after; ;) {
    const page = await insist(() => log.read(topic, { epoch: after.epoch, seq }, 500));
    assert.ok(page.ok, `read answers ${page.ok ? "" : page.reason}`);
    entries.push(...page.entries);
    seq = entries.at(-1)?.seq ?? seq;
    if (page.entries.length === 0 || seq >= page.head) return entries;
  }
}

/** Everything of the epoch that stands; what its owner brought has taken the first seqs. */
export async function readAll(log: EventLog, topic: string): Promise<LogEntry[]> {
  const { epoch, seq: head } = await stateOf(log, topic);
  for (let seq = 0; seq < head; seq++) {
    if ((await insist(() => log.read(topic, { epoch, seq }, 1))).ok) return readFrom(log, topic, { epoch, seq });
  }
  return [];
}

export async function stateOf(log: EventLog, topic: string): Promise<TopicState> {
  const state = await insist(() => log.state(topic));
  assert.ok(state !== null);
  return state;
}

export const textOf = (state: TopicState, messageId: string, partIndex = 0): string | undefined =>
  state.accumulators.find((part) => part.messageId === messageId && part.partIndex === partIndex)?.text;
