import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { extend, fenced, opened, stateOf, textOf } from "../../test/support/event-log-appends.ts";
import { ALL_FAULTS, NO_FAULTS } from "../../test/support/event-log.faulty.ts";
import { conversation, setup, titles } from "../../test/support/outbox-world.ts";
import { aMessage, aRun, TIME } from "../../test/support/shapes.fake.ts";
import { until } from "../../test/support/until.ts";
import type { ParleyEvent } from "../protocol/events.ts";
import type { Message } from "../protocol/shapes.ts";

const run = aRun({ status: "completed", assistantMessageId: "answer", finishedAt: TIME });
const updated = (fields: Partial<Message>): ParleyEvent => ({
  type: "CUSTOM",
  name: "message.updated",
  value: { message: aMessage({ id: "answer", ...fields }) },
});
const ends: Readonly<Record<string, ParleyEvent>> = {
  RUN_FINISHED: { type: "RUN_FINISHED", threadId: "c", runId: "r", outcome: { type: "success" }, usage: [], run },
  RUN_ERROR: { type: "RUN_ERROR", threadId: "c", runId: "r", message: "it failed", code: "MODEL_FAILED", run },
  "an answer that messages ended": updated({ status: "complete" }),
};

test("[L11] rows are appended in order, in the topics they name, and cleared together", async (t) => {
  const { log, table, outbox } = setup(t);
  const topics = ["conversation:1", "user:1", "conversation:2"];
  const rows = Array.from({ length: 30 }, (_, i) => table.commit(topics[i % 3] ?? "", conversation(`${i}`)));
  await outbox.announce(rows);
  for (const [index, topic] of topics.entries()) {
    assert.deepEqual(
      await titles(log, topic),
      Array.from({ length: 10 }, (_, i) => `${3 * i + index}`),
    );
  }
  await until(() => table.rows.size === 0, "the rows are cleared");
  assert.ok(table.clears.length <= topics.length, "at most once a call");
});

test("[L11] ids are cleared at most 200 at a time", async (t) => {
  const { table, outbox } = setup(t);
  await outbox.announce(Array.from({ length: 450 }, (_, i) => table.commit("user:1", conversation(`${i}`))));
  await until(() => table.rows.size === 0, "the rows are cleared");
  assert.ok(table.clears.every((ids) => ids.length <= 200));
  assert.ok(table.clears.length <= 4);
});

test("[L4] a missing topic is opened as a non-owner with the conversation's fence", async (t) => {
  const { log, table, outbox } = setup(t);
  table.fences.set("7", 5);
  await outbox.announce([table.commit("conversation:7", conversation("a")), table.commit("user:7", conversation("b"))]);
  const states = [await stateOf(log, "conversation:7"), await stateOf(log, "user:7")];
  assert.deepEqual(
    states.map((state) => [state.fence, state.seq, state.complete]),
    [
      [5, 1, false],
      [0, 1, false],
    ],
  );
});

test("[L11] a row waits for those before it, also while their topic is opened", async (t) => {
  const { log, table, outbox } = setup(t);
  const looked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<number>();
  table.conversations.fence = async () => {
    looked.resolve();
    return answer.promise;
  };
  const first = outbox.announce([table.commit("conversation:1", conversation("first"))]);
  await looked.promise;
  await opened(log, "conversation:1");
  const second = outbox.announce([table.commit("conversation:1", conversation("second"))]);
  await nextTurn();
  await nextTurn();
  assert.equal((await stateOf(log, "conversation:1")).seq, 0);
  answer.resolve(1);
  await Promise.all([first, second]);
  assert.deepEqual(await titles(log, "conversation:1"), ["first", "second"]);
});

test("[L11] a row that came while the topic was found missing stays behind those before it", async (t) => {
  const { log, table, outbox } = setup(t);
  const answer = Promise.withResolvers<void>();
  const append = log.append.bind(log);
  let calls = 0;
  log.append = async (batch) => {
    calls++;
    await answer.promise;
    return append(batch);
  };
  const first = outbox.announce([table.commit("conversation:1", conversation("first"))]);
  await until(() => calls === 1, "the first call");
  const second = outbox.announce([table.commit("conversation:1", conversation("second"))]);
  answer.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(await titles(log, "conversation:1"), ["first", "second"]);
});

for (const [type, event] of Object.entries(ends)) {
  test(`[L11] ${type} makes the log forget the answer's text`, async (t) => {
    const { log, table, outbox } = setup(t);
    const topic = "conversation:1";
    const epoch = await opened(log, topic);
    await log.append([
      fenced(1, { topic, epoch, accumulate: extend("answer", 0, "text") }),
      fenced(2, { topic, epoch, accumulate: extend("other", 0, "text") }),
    ]);
    await outbox.announce([table.commit(topic, event)]);
    const state = await stateOf(log, topic);
    assert.deepEqual([textOf(state, "answer"), textOf(state, "other"), state.seq], [undefined, "text", 3]);
  });
}

test("[L11] an answer that streams on, or a person's message, makes it forget nothing", async (t) => {
  const { log, table, outbox } = setup(t);
  const topic = "conversation:1";
  const epoch = await opened(log, topic);
  await log.append([fenced(1, { topic, epoch, accumulate: extend("answer", 0, "text") })]);
  for (const fields of [{ status: "streaming" }, { role: "user" }] as const) {
    await outbox.announce([table.commit(topic, updated(fields))]);
  }
  assert.equal(textOf(await stateOf(log, topic), "answer"), "text");
});

test("[L11] a row that was announced is not told again by the sweep, and the sweep clears what others left", async (t) => {
  const { log, table, outbox } = setup(t);
  const announced = table.commit("user:1", conversation("announced"));
  await opened(log, "user:1");
  const append = log.append.bind(log);
  let rows = 0;
  log.append = (batch) => {
    rows += batch.length;
    return append(batch);
  };
  const announcing = outbox.announce([announced]);
  table.commit("user:1", conversation("left"));
  await Promise.all([announcing, outbox.sweep()]);
  await outbox.sweep();
  await until(() => table.rows.size === 0, "the rows are cleared");
  assert.deepEqual(await titles(log, "user:1"), ["announced", "left"]);
  assert.equal(rows, 2);
});

test("[L11] a sweep goes on while there are rows", async (t) => {
  const { log, table, outbox } = setup(t);
  for (let i = 0; i < 2_500; i++) table.commit("user:1", conversation(`${i}`));
  await outbox.sweep();
  assert.equal(table.rows.size, 0);
  assert.equal((await stateOf(log, "user:1")).seq, 2_500);
});

test("[L11] start sweeps by itself", async (t) => {
  const { table, outbox } = setup(t, 1, { sweepMs: 1 });
  table.commit("user:1", conversation("left"));
  outbox.start();
  await until(() => table.rows.size === 0, "the sweep");
});

test("[L11] while the log is away announce does not reject, and the sweep appends later", async (t) => {
  const { log, table, outbox } = setup(t);
  log.faults = { ...NO_FAULTS, refused: 1 };
  await outbox.announce([table.commit("conversation:1", conversation("a")), table.commit("user:1", conversation("b"))]);
  assert.equal(table.rows.size, 2);
  log.faults = NO_FAULTS;
  await outbox.sweep();
  await until(() => table.rows.size === 0, "the sweep");
  assert.deepEqual([await titles(log, "conversation:1"), await titles(log, "user:1")], [["a"], ["b"]]);
});

test("[L11] announce waits for a slow log only so long, and the row is told and cleared when it is back", async (t) => {
  const { log, table, outbox } = setup(t, 1, { announceMs: 1 });
  const reply = Promise.withResolvers<void>();
  await opened(log, "user:1");
  const append = log.append.bind(log);
  log.append = async (batch) => {
    await reply.promise;
    return append(batch);
  };
  await outbox.announce([table.commit("user:1", conversation("late"))]);
  assert.equal(table.rows.size, 1);
  reply.resolve();
  await until(() => table.rows.size === 0, "the row is cleared");
  assert.deepEqual(await titles(log, "user:1"), ["late"]);
});

test("[L11] while the store is away nothing rejects, and rows stay", async (t) => {
  const { log, table, outbox } = setup(t);
  await opened(log, "user:1");
  const rows = [table.commit("user:1", conversation("a")), table.commit("conversation:1", conversation("b"))];
  table.away = true;
  await outbox.announce(rows);
  await outbox.sweep();
  await outbox.sweep();
  assert.equal(table.rows.size, 2);
  table.away = false;
  await until(() => {
    outbox.sweep().catch(assert.ifError);
    return table.rows.size === 0;
  }, "the sweep");
  assert.deepEqual([await titles(log, "user:1"), await titles(log, "conversation:1")], [["a"], ["b"]]);
});

test("[L11] rows of a conversation that is gone are cleared, as nobody can subscribe to it", async (t) => {
  const { log, table, outbox } = setup(t);
  table.fences.set("gone", null);
  await outbox.announce([table.commit("conversation:gone", conversation("a"))]);
  await until(() => table.rows.size === 0, "the row is cleared");
  assert.deepEqual(await log.heads(["conversation:gone"]), [null]);
});

test("[W11] an event that can't be cut is dropped, and does not hold up the others", async (t) => {
  const { log, table, logger, outbox } = setup(t);
  await outbox.announce([
    table.commit("user:1", conversation("x".repeat(70_000))),
    table.commit("user:1", conversation("next")),
  ]);
  assert.deepEqual(await titles(log, "user:1"), ["next"]);
  await until(() => table.rows.size === 0, "both rows are cleared");
  assert.equal(logger.lines.filter((line) => line.level === "error").length, 1);
});

test("close clears what is in the log, and takes nothing more", async (t) => {
  const { table, outbox } = setup(t);
  await outbox.announce([table.commit("user:1", conversation("a"))]);
  await outbox.close();
  assert.equal(table.rows.size, 0);
  await outbox.announce([table.commit("user:1", conversation("b"))]);
  assert.equal(table.rows.size, 1);
  await outbox.close();
});

test("close waits for what is being announced", async (t) => {
  const { log, table, outbox } = setup(t);
  const announced = outbox.announce([table.commit("conversation:1", conversation("a"))]);
  await outbox.close();
  assert.deepEqual([await titles(log, "conversation:1"), table.rows.size], [["a"], 0]);
  await announced;
});

test("[L11] whatever the log does, each committed row is told once in its epoch and cleared", async (t) => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("conversation:1", "conversation:2", "user:1") },
    { weight: 2, arbitrary: fc.constant("turn" as const) },
    { weight: 1, arbitrary: fc.constantFrom("restart", "sweep") },
  );
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { maxLength: 25 }), async (seed, steps) => {
      const { log, table, outbox } = setup(t, seed);
      log.faults = ALL_FAULTS;
      const work: Promise<void>[] = [];
      let count = 0;
      let restarted = false;
      for (const action of steps) {
        if (action === "turn") await nextTurn();
        else if (action === "sweep") work.push(outbox.sweep());
        else if (action === "restart") {
          restarted = true;
          await log.restart();
        } else work.push(outbox.announce([table.commit(action, conversation(`${count++}`))]));
      }
      await Promise.all(work);
      log.faults = NO_FAULTS;
      await until(() => {
        outbox.sweep().catch(assert.ifError);
        return table.rows.size === 0;
      }, "all rows are cleared");
      const told: string[] = [];
      for (const topic of ["conversation:1", "conversation:2", "user:1"]) {
        const of = (await log.state(topic)) === null ? [] : await titles(log, topic);
        assert.deepEqual(
          of,
          of.toSorted((a, b) => Number(a) - Number(b)),
          "in the order of their commits",
        );
        told.push(...of);
      }
      assert.equal(new Set(told).size, told.length, "nothing is told twice");
      if (!restarted) assert.equal(told.length, count, "everything is told");
    }),
    { numRuns: 40 },
  );
});
