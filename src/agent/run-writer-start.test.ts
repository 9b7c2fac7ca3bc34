/** A run writer before the log knows that its run begins. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { setUpWriter as setup } from "../../test/support/run-writer-world.ts";
import { LogBatcher } from "./log-batcher.ts";
import { RunWriter } from "./run-writer.ts";

const start = { type: "TEXT_MESSAGE_START", messageId: "m", role: "assistant", runId: "r", partIndex: 0 } as const;

test("[L11] what is written before the beginning of the run is told comes after it, merged and in order", async (t) => {
  const { writer, calls, begin, events } = await setup(t, "waiting");
  writer.event(start);
  writer.text("m", 0, "Good ");
  const flushed = writer.flush();
  for (let turns = 0; turns < 3; turns++) await nextTurn();
  writer.text("m", 0, "day");
  assert.equal(calls.length, 0);
  begin();
  assert.deepEqual(await flushed, { ok: true });
  const [first, second, ...more] = await events();
  assert.deepEqual([first?.type, more], ["TEXT_MESSAGE_START", []]);
  assert.equal(second?.type === "TEXT_MESSAGE_CONTENT" && second.delta, "Good day");
});

test("a writer that is closed before its run begins writes nothing", async (t) => {
  const { writer, calls, begin } = await setup(t, "waiting");
  writer.text("m", 0, "text");
  const flushed = writer.flush();
  writer.close();
  assert.deepEqual(await flushed, { ok: false, reason: "CLOSED" });
  begin();
  for (let turns = 0; turns < 3; turns++) await nextTurn();
  assert.deepEqual([calls.length, writer.textOf("m", 0), writer.text("m", 0, "x")], [0, "text", "ended"]);
});

test("a writer is started once, and before it is used", async (t) => {
  const { writer, log } = await setup(t);
  assert.throws(() => writer.start(undefined));
  const logger = recordingLogger();
  const batcher = new LogBatcher({ log, logger, metrics: { appended() {}, bug() {} } });
  const fresh = new RunWriter({ log, batcher, logger, topic: "conversation:1", fence: 1, onFenced() {} });
  assert.throws(() => fresh.text("m", 0, "x"));
});
