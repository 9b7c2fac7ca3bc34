/** A run's writer on a log in memory, whose calls a test watches, holds back or fails. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { MemoryEventLog } from "../../src/adapters/event-log.memory.ts";
import { LogBatcher } from "../../src/agent/log-batcher.ts";
import { RunWriter } from "../../src/agent/run-writer.ts";
import type { Append, AppendResult, EventLog, TopicState } from "../../src/ports/event-log.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import { newTopic, opened, readAll, stateOf } from "./event-log-appends.ts";
import { recordingLogger } from "./logger.fake.ts";

export const FENCE = 3;

export interface WriterWorld {
  readonly log: MemoryEventLog;
  readonly topic: string;
  readonly writer: RunWriter;
  readonly calls: (readonly Append[])[];
  readonly clock: { now: number };
  readonly fenced: { times: number };
  /** Holds answers back, or fails calls, while set. */
  readonly gate: { append?: () => Promise<void>; open?: () => Promise<void> };
  readonly begin: () => void;
  readonly state: () => Promise<TopicState>;
  /** The topic's events, in the epoch that stands. */
  readonly events: () => Promise<ParleyEvent[]>;
}

/** `waiting`: for `begin`. */
export async function setUpWriter(
  t: TestContext,
  started: "open" | "missing" | "waiting" = "open",
): Promise<WriterWorld> {
  const log = new MemoryEventLog();
  t.after(() => log.close());
  const topic = newTopic();
  const calls: (readonly Append[])[] = [];
  const clock = { now: 0 };
  const gate: WriterWorld["gate"] = {};
  const fenced = { times: 0 };
  const watched: Pick<EventLog, "append" | "open"> = {
    async append(batch): Promise<readonly AppendResult[]> {
      calls.push(batch);
      await gate.append?.();
      return log.append(batch);
    },
    async open(request) {
      await gate.open?.();
      return log.open(request);
    },
  };
  const backoff = { baseMs: 1, capMs: 1, random: () => 1 };
  const logger = recordingLogger();
  const metrics = { appended() {}, bug: () => assert.fail("a bug") };
  const batcher = new LogBatcher({ log: watched, logger, metrics, backoff, giveUpMs: 0, now: () => clock.now });
  const onFenced = () => fenced.times++;
  const writer = new RunWriter({ log: watched, batcher, logger, topic, fence: FENCE, backoff, onFenced });
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  if (started === "missing") writer.start(undefined);
  else {
    await opened(log, topic, FENCE);
    writer.start(await stateOf(log, topic), [], started === "waiting" ? begun : undefined);
  }
  return {
    log,
    topic,
    writer,
    calls,
    clock,
    fenced,
    gate,
    begin,
    state: () => stateOf(log, topic),
    events: async () => (await readAll(log, topic)).map((entry) => JSON.parse(entry.event) as ParleyEvent),
  };
}
