import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { unfenced } from "../../test/support/event-log-appends.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { until } from "../../test/support/until.ts";
import type { Append, AppendResult } from "../ports/event-log.ts";
import { ParleyError } from "../protocol/errors.ts";
import {
  type AppendBatch,
  type Collected,
  LogBatcher,
  type LogBatcherOptions,
  type LogProducer,
} from "./log-batcher.ts";

const TOPIC = "conversation:1";

/** Hands over ids, one append each, and notes what became of them. */
class Source implements LogProducer {
  inTurn = false;
  readonly waiting: string[] = [];
  readonly stored: string[] = [];
  readonly given: string[] = [];
  asked = 0;
  /** Waits until it is due. */
  patient = false;

  collect(batch: AppendBatch, _now: number, due: boolean): Collected {
    this.asked++;
    if (this.patient && !due && this.waiting.length > 0) return "held";
    while (this.waiting.length > 0) {
      if (batch.full) return "more";
      batch.add(this, unfenced(TOPIC, this.waiting.shift() ?? ""));
    }
    return "empty";
  }

  appended(append: Append, _result: AppendResult): void {
    this.stored.push(idOf(append));
  }

  failed(append: Append): void {
    this.given.push(idOf(append));
  }
}

const idOf = (append: Append): string => ("eventId" in append.identity ? append.identity.eventId : "");

/** A log whose calls are noted and answered by `answer`. */
function setup(
  answer: (call: number) => Promise<unknown> = () => Promise.resolve(),
  options: Partial<LogBatcherOptions> = {},
) {
  const calls: string[][] = [];
  const bugs = { count: 0 };
  const logger = recordingLogger();
  const batcher = new LogBatcher({
    log: {
      async append(batch) {
        calls.push(batch.map(idOf));
        await answer(calls.length);
        return batch.map((_, index) => ({ ok: true, seq: index + 1, duplicate: false }));
      },
    },
    logger,
    metrics: { appended() {}, bug: () => bugs.count++ },
    backoff: { baseMs: 1, capMs: 2, random: () => 1 },
    ...options,
  });
  const give = (source: Source, ...ids: string[]): void => {
    source.waiting.push(...ids);
    batcher.schedule(source);
  };
  return { batcher, calls, bugs, logger, give };
}

const gone = (): Promise<never> => Promise.reject(new ParleyError("UNAVAILABLE"));

test("[L5] what all runs produce in one turn is one call", async () => {
  const { calls, give } = setup();
  const sources = Array.from({ length: 1000 }, () => new Source());
  const fired = Promise.withResolvers<void>();
  let left = sources.length;
  for (const [index, source] of sources.entries()) {
    setTimeout(() => {
      // Also what a promise or a tick of the same turn brings.
      if (index % 3 === 0) process.nextTick(() => give(source, `${index}`));
      else if (index % 3 === 1) Promise.resolve().then(() => give(source, `${index}`), assert.ifError);
      else give(source, `${index}`);
      if (--left === 0) fired.resolve();
    }, 1);
  }
  // All of them are due when the loop looks.
  for (const end = performance.now() + 20; performance.now() < end;);
  await fired.promise;
  await until(() => calls.length > 0, "the call");
  await nextTurn();
  assert.equal(calls.length, 1);
  assert.equal(calls[0]?.length, 1000);
  assert.ok(sources.every((source, index) => source.stored[0] === `${index}`));
});

test("[L5] one call is under way at a time, and nobody is asked meanwhile", async () => {
  const reply = Promise.withResolvers<void>();
  const { calls, give } = setup((call) => (call === 1 ? reply.promise : Promise.resolve()));
  const [a, b] = [new Source(), new Source()];
  give(a, "a1");
  await until(() => calls.length === 1, "the first call");
  for (const id of ["a2", "a3"]) {
    give(a, id);
    give(b, `b-${id}`);
    await nextTurn();
  }
  assert.deepEqual([calls.length, a.asked, b.asked], [1, 1, 0]);
  reply.resolve();
  await until(() => calls.length === 2, "the second call");
  assert.deepEqual(calls[1], ["a2", "a3", "b-a2", "b-a3"]);
});

test("[L3] a call that fails is repeated as it was, before anything else", async () => {
  const { calls, give } = setup((call) => (call < 4 ? gone() : Promise.resolve()));
  const [a, b] = [new Source(), new Source()];
  give(a, "a1", "a2");
  await until(() => calls.length > 0, "the first call");
  give(b, "b1");
  await until(() => b.stored.length === 1, "the last call");
  assert.deepEqual(calls, [["a1", "a2"], ["a1", "a2"], ["a1", "a2"], ["a1", "a2"], ["b1"]]);
  assert.deepEqual(a.stored, ["a1", "a2"]);
});

test("[L5] a call that gets no answer counts as failed", async () => {
  const { calls, give } = setup((call) => (call === 1 ? new Promise(() => {}) : Promise.resolve()), { callMs: 5 });
  const source = new Source();
  give(source, "a");
  await until(() => source.stored.length === 1, "the repetition");
  assert.deepEqual(calls, [["a"], ["a"]]);
});

test("[L5] what fails for long is given up, and the next call goes out", async () => {
  let away = true;
  const { calls, give } = setup(() => (away ? gone() : Promise.resolve()), { giveUpMs: 5 });
  const source = new Source();
  give(source, "a", "b");
  await until(() => source.given.length === 2, "giving up");
  assert.deepEqual([source.given, source.stored], [["a", "b"], []]);
  away = false;
  give(source, "c");
  await until(() => source.stored.length === 1, "the next call");
  assert.deepEqual(calls.at(-1), ["c"]);
});

test("[L5] an answer that does not fit its batch is a failure", async () => {
  const logger = recordingLogger();
  const source = new Source();
  const batcher = new LogBatcher({
    log: { append: async () => [] },
    logger,
    metrics: { appended() {}, bug() {} },
    giveUpMs: 0,
  });
  source.waiting.push("a");
  batcher.schedule(source);
  await until(() => source.given.length === 1, "giving up");
});

for (const [bound, options] of [
  ["entries", { maxAppends: 3 }],
  ["size", { maxUnits: 2 * unfenced(TOPIC, "a0").event.length + 1 }],
] as const) {
  test(`[L5] a call is bounded in ${bound}, and everybody gets their turn in order`, async () => {
    const { calls, give } = setup(undefined, options);
    const [a, b] = [new Source(), new Source()];
    give(a, "a0", "a1", "a2", "a3");
    give(b, "b0", "b1");
    await until(() => a.stored.length === 4 && b.stored.length === 2, "all");
    assert.ok(calls.every((call) => call.length <= 3));
    assert.deepEqual(calls.flat().toSorted(), ["a0", "a1", "a2", "a3", "b0", "b1"]);
    assert.deepEqual(
      [a.stored, b.stored],
      [
        ["a0", "a1", "a2", "a3"],
        ["b0", "b1"],
      ],
    );
    assert.ok(calls[1]?.includes("b0"), "the first does not hold up the second");
  });
}

test("[L5] producers that hold back are asked again within 25 ms, all by one timer", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { calls, give } = setup();
  const sources = [new Source(), new Source(), new Source()];
  for (const source of sources) {
    source.patient = true;
    give(source, "x");
    t.mock.timers.tick(5);
    await nextTurn();
  }
  assert.equal(calls.length, 0);
  t.mock.timers.tick(10);
  await nextTurn();
  assert.deepEqual(calls, [["x", "x", "x"]]);
});

test("a producer that throws hurts nobody else", async () => {
  const { give, bugs, batcher } = setup();
  const source = new Source();
  const [first, second] = [new Source(), new Source()];
  first.collect = () => {
    throw new Error("collect");
  };
  second.appended = () => {
    throw new Error("appended");
  };
  give(first, "a");
  give(second, "b");
  give(source, "c");
  await until(() => source.stored.length === 1, "the other one");
  assert.equal(bugs.count, 2);
  await batcher.close();
});

test("close sends what is there, also what is held back, and takes nothing more", async () => {
  const { batcher, calls, give } = setup();
  const [a, b] = [new Source(), new Source()];
  b.patient = true;
  give(b, "b");
  await nextTurn();
  give(a, "a");
  await batcher.close();
  assert.deepEqual([a.stored, b.stored], [["a"], ["b"]]);
  give(a, "late");
  await nextTurn();
  assert.equal(calls.flat().includes("late"), false);
  await batcher.close();
});

test("close does not wait for a log that is away", async () => {
  const { batcher, give } = setup(gone, { giveUpMs: 1e9, backoff: { baseMs: 1e9, capMs: 1e9, random: () => 1 } });
  const source = new Source();
  give(source, "a");
  await nextTurn();
  await batcher.close();
  assert.deepEqual(source.given, ["a"]);
});
