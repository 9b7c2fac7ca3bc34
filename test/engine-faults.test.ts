/**
 * One run, over and over: each time another call of its process to the store or to the log fails, loses its answer, or
 * is the last that the process ever makes. Whatever happens, the run is completed once, with its whole text, and
 * readers are told once.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { MemoryEventLog } from "../src/adapters/event-log.memory.ts";
import type { Fault, FaultKind } from "./engine-ports.ts";
import { Process, upTo } from "./engine-process.ts";
import { Reading } from "./engine-reading.ts";
import { EngineWorld } from "./engine-world.ts";
import { outboxOf, send } from "./support/store-world.ts";
import { until } from "./support/until.ts";

const TIMES = { leaseMs: 600, renewMs: 15, pollMs: 50, outboxMs: 50 };
const NUMBERS = 16;
/** Every call that a run has to do with; how many of each depends on the machine's pace. */
const CALLS = [
  "store.runs.expireAllLeases",
  "store.runs.claim",
  "log.seal",
  "log.open",
  "log.append",
  "store.runs.renew",
  "store.runs.commit",
  "store.outbox.stale",
  "store.outbox.clear",
];
/** Enough for the appends of one answer; jobs that repeat go on for ever. */
const MOST = 12;

let world: EngineWorld;
before(async () => {
  world = await EngineWorld.embedded();
});
after(() => world.store.close());

/** Plays one run to its end, in a second process when the first one dies. False when it never came to the fault. */
async function play(fault: Fault, logSurvives: boolean): Promise<boolean> {
  const conversationId = await world.converse();
  const topic = `conversation:${conversationId}`;
  const { runId, announce } = await send(world.world, world.scope, conversationId, { text: `count to ${NUMBERS}` });
  const over = async () => {
    const { status } = await world.run(runId);
    return status !== "queued" && status !== "running" && (await outboxOf(world.world, topic)).length === 0;
  };

  const options = { store: world.store, log: world.log, exclusive: true, times: TIMES, tokensPerSecond: 400 };
  const first = new Process({ ...options, fault });
  const { ports, engine } = first;
  // A start may fail, and may never end: the operator, or whoever supervises it, starts it again.
  let failed = false;
  engine.start().then(
    () => {
      engine.announce(announce).catch(() => {
        failed = true;
      });
      engine.wake();
    },
    () => {
      failed = true;
    },
  );
  await until(async () => failed || ports.dead || (await over()), `the end of ${JSON.stringify(fault)}`, 15_000);

  let last = first;
  if (failed || ports.dead) {
    await first.kill();
    if (!logSurvives) world.useLog(new MemoryEventLog());
    last = new Process({ ...options, log: world.log });
    await last.engine.start();
    await until(over, `the end after ${JSON.stringify(fault)} `, 15_000);
  }
  await last.stop();
  assert.deepEqual([...first.errors, ...last.errors], []);

  const run = await world.run(runId);
  assert.deepEqual([run.status, run.message, run.text], ["completed", "complete", upTo(NUMBERS)]);
  assert.equal(run.steps.length, 1);
  const reading = await Reading.of(world.log, topic);
  if (world.log === options.log) {
    assert.deepEqual(reading.ended, [runId], "one end");
    assert.equal(reading.gaps, 0);
    assert.equal(reading.text(run.assistantMessageId), run.text);
  } else {
    // A log that begins after the end may have nothing to tell; what it tells is right.
    assert.ok(reading.ended.length <= 1, "one end");
    if (reading.gaps === 0 && reading.ended.length > 0) assert.equal(reading.text(run.assistantMessageId), run.text);
  }
  return ports.hit;
}

for (const [kind, logSurvives, rules] of [
  ["refused", true, "[R8]"],
  ["lost reply", true, "[R8]"],
  ["death before", true, "[R1][R5]"],
  ["death after", true, "[R1][R5]"],
  ["death before", false, "[R1][R5][R8]"],
  ["death after", false, "[R1][R5][R8]"],
] satisfies [FaultKind, boolean, string][]) {
  const log = logSurvives ? "" : ", the log gone as well";
  test(`${rules} ${kind} at each call to a port${log}: completed once, told once`, async (t) => {
    const cases = new Map<string, number>();
    for (const call of CALLS) {
      let nth = 1;
      while (nth <= MOST && (await play({ kind, call, nth }, logSurvives))) nth++;
      cases.set(call, nth - 1);
    }
    const total = [...cases.values()].reduce((sum, count) => sum + count);
    t.diagnostic(`${total} cases: ${[...cases].map(([call, count]) => `${call} ${count}`).join(", ")}`);
    for (const [call, count] of cases) assert.ok(count > 0, `${call} was hit`);
  });
}
