import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { MemoryEventLog } from "../src/adapters/event-log.memory.ts";
import { TOO_LONG } from "../src/agent/next-action.ts";
import { noMetrics, type Metrics } from "../src/ports/metrics.ts";
import { ModelError } from "../src/ports/model.ts";
import { ParleyError } from "../src/protocol/errors.ts";
import { ScriptedModel, spoken } from "./engine-model.ts";
import { upTo } from "./engine-process.ts";
import { EngineWorld } from "./engine-world.ts";
import { FaultyEventLog, NO_FAULTS } from "./support/event-log.faulty.ts";
import { runAsAdmin, trySend } from "./support/store-world.ts";
import { until } from "./support/until.ts";

let world: EngineWorld;
before(async () => {
  world = await EngineWorld.embedded();
});
afterEach(() => world.close());
after(() => world.store.close());

// ── running ───────────────────────────────────────────────────────────────────────────────────────────────────────

test("[R1] an accepted run is claimed, streamed and ended, and every reader sees its text", async () => {
  const process = await world.start();
  const conversationId = await world.converse();
  const { runId, state } = await world.send(process, conversationId, "count to 100");
  assert.equal(state, "running");

  const run = await world.ended(runId);
  assert.equal(run.status, "completed");
  assert.equal(run.text, upTo(100));
  assert.equal(run.usage.outputTokens, 100);
  assert.deepEqual(
    run.steps.map(({ index, status, attempt, usage }) => ({ index, status, attempt, usage })),
    [{ index: 0, status: "completed", attempt: 1, usage: run.usage }],
  );

  const reading = await world.read(conversationId, 1);
  assert.equal(reading.text(run.assistantMessageId), upTo(100));
  assert.deepEqual(reading.ended, [runId]);
  assert.deepEqual(reading.started, [runId]);
  assert.equal(reading.resets, 0);
});

test("[R1][R3] a run whose process died goes on with the next start, long before its lease ends", async () => {
  const first = await world.start({ tokensPerSecond: 100 });
  const conversationId = await world.converse();
  const { runId } = await world.send(first, conversationId, "count to 40");
  await until(async () => (await world.log.state(`conversation:${conversationId}`))?.seq !== 3, "a few deltas");
  await world.kill(first);
  assert.equal((await world.run(runId)).status, "running");

  const model = new ScriptedModel();
  await world.start({ model, times: { pollMs: 60_000 } });
  const call = await model.call(1);
  call.say("again");
  call.end();
  assert.equal((await world.ended(runId)).text, "again");
});

test("the model reads the whole branch, and the next message follows the answer", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model });
  const conversationId = await world.converse();
  const first = await world.send(process, conversationId, "one");
  (await model.call(1)).say("I");
  (await model.call(1)).end();
  await world.ended(first.runId);
  const second = await world.send(process, conversationId, "two");
  const call = await model.call(2);
  call.end();
  assert.equal(call.request.model, "demo");
  assert.deepEqual(spoken(call.request.messages), [
    ["user", "one"],
    ["assistant", "I"],
    ["user", "two"],
  ]);
  const run = await world.ended(second.runId);
  assert.equal(run.status, "completed");
  assert.equal(run.text, "");
});

test("a run is counted when it starts, first speaks, and ends", async () => {
  const counted: string[] = [];
  const metrics: Metrics = {
    ...noMetrics,
    runStarted: (takeover) => void counted.push(takeover ? "taken over" : "started"),
    firstToken: (ms) => void counted.push(ms >= 0 ? "first token" : "a negative time"),
    tokens: (count) => void counted.push(`${count} token`),
    runEnded: (status) => void counted.push(status),
  };
  const model = new ScriptedModel();
  const process = await world.start({ model, metrics });
  const { runId } = await world.send(process, await world.converse(), "talk");
  (await model.call(1)).say("a", "b");
  (await model.call(1)).end();
  await world.ended(runId);
  await until(() => counted.includes("completed"), "the end to be counted");
  assert.deepEqual(counted, ["started", "1 token", "first token", "1 token", "completed"]);
});

test("many runs share a process, and no more than it allows run at once", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model, maxRuns: 3 });
  const sent = [];
  for (let i = 0; i < 7; i++) sent.push(await world.send(process, await world.converse(), `run ${i}`));
  let most = 0;
  for (let i = 1; i <= 7; i++) {
    const call = await model.call(i);
    most = Math.max(most, process.engine.held);
    if (i >= 3) call.say("done");
    if (i >= 3) for (const open of model.calls) open.end();
  }
  for (const { runId } of sent) assert.equal((await world.ended(runId)).status, "completed");
  assert.equal(most, 3);
});

// ── one at a time ─────────────────────────────────────────────────────────────────────────────────────────────────

test("[R2] queued messages are answered one after the other, in their order", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model });
  const conversationId = await world.converse();
  const sent = [];
  for (const text of ["a", "b", "c"]) sent.push(await world.send(process, conversationId, text));
  assert.deepEqual(
    sent.map(({ state }) => state),
    ["running", "queued", "queued"],
  );
  for (let i = 1; i <= 3; i++) {
    const call = await model.call(i);
    assert.equal(model.calls.length, i);
    assert.equal(call.asked, ["a", "b", "c"][i - 1]);
    call.say(`answer ${i}`);
    call.end();
  }
  for (const [i, { runId }] of sent.entries()) assert.equal((await world.ended(runId)).text, `answer ${i + 1}`);
  const reading = await world.read(conversationId, 3);
  assert.deepEqual(
    reading.ended,
    sent.map(({ runId }) => runId),
  );
});

test("[R2] interrupt stops the active run, keeps its text, and goes before the queue", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model });
  const conversationId = await world.converse();
  const first = await world.send(process, conversationId, "first");
  (await model.call(1)).say("par", "tial");
  const queued = await world.send(process, conversationId, "queued");
  const urgent = await world.send(process, conversationId, "urgent", { whenBusy: "interrupt" });
  assert.equal(urgent.interrupted, first.runId);

  const second = await model.call(2);
  assert.equal(second.asked, "urgent");
  second.end();
  const third = await model.call(3);
  assert.equal(third.asked, "queued");
  third.end();

  const stopped = await world.ended(first.runId);
  assert.deepEqual([stopped.status, stopped.message, stopped.text], ["stopped", "stopped", "partial"]);
  assert.equal((await world.ended(urgent.runId)).status, "completed");
  assert.equal((await world.ended(queued.runId)).status, "completed");
  assert.deepEqual((await world.read(conversationId, 3)).ended, [first.runId, urgent.runId, queued.runId]);
});

test("[R2] reject refuses while a run is active, and only then", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model });
  const conversationId = await world.converse();
  const { runId } = await world.send(process, conversationId, "first");
  const call = await model.call(1);
  const refused = await trySend(world.world, world.scope, conversationId, { whenBusy: "reject" });
  assert.deepEqual(refused, { ok: false, reason: "BUSY" });
  call.end();
  await world.ended(runId);
  const second = await world.send(process, conversationId, "second", { whenBusy: "reject" });
  (await model.call(2)).end();
  await world.ended(second.runId);
});

test("[R2] messages sent while a run ends are all answered", async () => {
  const process = await world.start({ tokensPerSecond: 5_000 });
  const conversationId = await world.converse();
  const sent = [];
  for (let i = 0; i < 15; i++) {
    sent.push(await world.send(process, conversationId, "count to 3"));
    await new Promise((resolve) => setTimeout(resolve, i * 2));
  }
  for (const { runId } of sent) assert.equal((await world.ended(runId)).text, "1 2 3");
  assert.deepEqual(
    (await world.read(conversationId, 15)).ended,
    sent.map(({ runId }) => runId),
  );
});

// ── stop ──────────────────────────────────────────────────────────────────────────────────────────────────────────

test("[R11] stop ends a running run with its partial text; nothing follows its end", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model });
  const conversationId = await world.converse();
  const { runId } = await world.send(process, conversationId, "talk");
  const call = await model.call(1);
  call.say("some", " text");
  assert.equal(await world.stop(process, { conversationId }), true);
  assert.equal(await world.stop(process, { runId }), (await world.run(runId)).status === "running");
  call.say(" too late");

  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.message, run.text], ["stopped", "stopped", "some text"]);
  assert.equal(run.steps[0]?.status, "stopped");
  const reading = await world.read(conversationId, 1);
  assert.equal(reading.text(run.assistantMessageId), "some text");
  assert.equal(await world.stop(process, { runId }), false);
  assert.equal(await world.stop(process, { conversationId }), false);
});

test("[R11] a model that takes no notice of the stop does not hold it up", async () => {
  const model = new ScriptedModel();
  model.deaf = true;
  const process = await world.start({ model });
  const conversationId = await world.converse();
  const { runId } = await world.send(process, conversationId, "talk");
  const call = await model.call(1);
  call.say("heard");
  await world.stop(process, { runId });
  call.say(" unheard");
  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.text], ["stopped", "heard"]);
  call.say(" unheard");
  assert.equal((await world.read(conversationId, 1)).text(run.assistantMessageId), "heard");
});

test("[R11] stop ends a queued run at once, and the one after it goes on", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model });
  const conversationId = await world.converse();
  const [a, b, c] = [
    await world.send(process, conversationId, "a"),
    await world.send(process, conversationId, "b"),
    await world.send(process, conversationId, "c"),
  ];
  assert.equal(await world.stop(process, { runId: b.runId }), true);
  assert.equal((await world.run(b.runId)).status, "stopped");
  (await model.call(1)).end();
  const second = await model.call(2);
  assert.equal(second.asked, "c");
  second.end();
  assert.equal((await world.ended(a.runId)).status, "completed");
  assert.equal((await world.ended(c.runId)).status, "completed");
});

test("[R11] stop that races the end leaves one end, whichever", async () => {
  const process = await world.start({ tokensPerSecond: 2_000 });
  const seen = new Set<string>();
  for (let delay = 0; delay < 30; delay += 2) {
    const conversationId = await world.converse();
    const { runId } = await world.send(process, conversationId, "count to 20");
    await new Promise((resolve) => setTimeout(resolve, delay));
    const stopped = await world.stop(process, { runId });
    const run = await world.ended(runId);
    seen.add(run.status);
    const reading = await world.read(conversationId, 1);
    assert.deepEqual(reading.ended, [runId]);
    assert.equal(reading.text(run.assistantMessageId), run.text);
    assert.ok(upTo(20).startsWith(run.text));
    if (run.status === "completed") assert.equal(run.text, upTo(20));
    if (!stopped) assert.equal(run.status, "completed");
  }
  assert.ok(seen.size > 0);
});

test("[R11] a stop that only the database knows of reaches the owner with a renewal", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model, times: { leaseMs: 600, renewMs: 50 } });
  const { runId } = await world.send(process, await world.converse(), "talk");
  (await model.call(1)).say("text");
  await world.store.runs.stop(world.scope, { runId });
  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.text], ["stopped", "text"]);
});

test("[R11] a run whose owner died is stopped by its claimer, with the text of the sealed log", async () => {
  const model = new ScriptedModel();
  const first = await world.start({ model });
  const conversationId = await world.converse();
  const { runId } = await world.send(first, conversationId, "talk");
  (await model.call(1)).say("what", " was", " said");
  const { assistantMessageId } = await world.run(runId);
  const seen = async () => (await world.log.state(`conversation:${conversationId}`))?.accumulators[0]?.text;
  await until(async () => (await seen()) === "what was said", "the text in the log");
  await world.kill(first);
  await world.store.runs.stop(world.scope, { runId });

  const next = new ScriptedModel();
  await world.start({ model: next });
  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.text, next.calls.length], ["stopped", "what was said", 0]);
  const reading = await world.read(conversationId, 1);
  assert.equal(reading.text(assistantMessageId), "what was said");
});

// ── limits and failures ───────────────────────────────────────────────────────────────────────────────────────────

test("[R6] after six lost leases in a row, more than five, the run fails with its reason, and keeps the last text", async () => {
  const conversationId = await world.converse();
  let runId = "";
  for (let attempt = 1; attempt <= 6; attempt++) {
    const model = new ScriptedModel();
    const process = await world.start({ model });
    if (attempt === 1) runId = (await world.send(process, conversationId, "talk")).runId;
    (await model.call(1)).say(`attempt ${attempt}`);
    assert.equal((await world.run(runId)).attempt, attempt);
    const seen = async () => (await world.log.state(`conversation:${conversationId}`))?.accumulators[0]?.text;
    await until(async () => (await seen()) === `attempt ${attempt}`, "the text in the log");
    await world.kill(process);
  }
  const model = new ScriptedModel();
  await world.start({ model });
  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.error?.code, run.text], ["failed", "RUN_LIMIT", "attempt 6"]);
  assert.equal(model.calls.length, 0);
  const reading = await world.read(conversationId, 1);
  assert.equal(reading.resets, 5);
  assert.equal(reading.text(run.assistantMessageId), "attempt 6");
});

test("[R6] a run that passes its deadline fails, in the middle of its text or before it", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model });
  const { runId } = await world.send(process, await world.converse(), "talk", { deadlineMs: 300 });
  (await model.call(1)).say("so far");
  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.error?.code, run.text], ["failed", "RUN_LIMIT", "so far"]);

  const late = await world.send(process, await world.converse(), "talk", { deadlineMs: 0 });
  assert.equal((await world.ended(late.runId)).error?.code, "RUN_LIMIT");
  assert.equal(model.calls.length, 1);
});

for (const [name, fail, code, bugs] of [
  ["is overloaded", new ModelError("overload", "It is busy."), "MODEL_BUSY", 0],
  ["breaks", new Error("socket hang up"), "MODEL_FAILED", 1],
] as const) {
  test(`[R9] a model that ${name} ends its run as failed, with the text so far`, async () => {
    const model = new ScriptedModel();
    const process = await world.start({ model });
    const conversationId = await world.converse();
    const { runId } = await world.send(process, conversationId, "talk");
    (await model.call(1)).say("so far");
    (await model.call(1)).fail(fail);
    const run = await world.ended(runId);
    assert.deepEqual([run.status, run.message, run.error?.code, run.text], ["failed", "failed", code, "so far"]);
    assert.doesNotMatch(run.error?.message ?? "", /hang up/);
    assert.equal((await world.read(conversationId, 1)).text(run.assistantMessageId), "so far");
    assert.equal(process.errors.length, bugs, "a provider that does not say what failed is a bug");
    process.lines.length = 0;
  });
}

test("[R9] a model that falls silent is given up", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model, stall: { firstTokenMs: 200, silenceMs: 200 } });
  const { runId } = await world.send(process, await world.converse(), "talk");
  (await model.call(1)).say("so far");
  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.error?.code, run.text], ["failed", "MODEL_FAILED", "so far"]);
});

test("[R9] a model that nobody serves fails the run, not the engine", async () => {
  const process = await world.start();
  const { runId } = await world.send(process, await world.converse(), "talk", { model: "no/such" });
  assert.equal((await world.ended(runId)).error?.code, "MODEL_UNAVAILABLE");
});

test("[R6] an answer longer than a part may be ends there, says why, and keeps its text", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model });
  const { runId } = await world.send(process, await world.converse(), "talk");
  const call = await model.call(1);
  for (let i = 0; i < 12; i++) call.say("x".repeat(100_000));
  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.error?.code, run.text.length], ["failed", "RUN_LIMIT", 1024 * 1024]);
  assert.equal(run.error?.message, TOO_LONG);
});

// ── leases ────────────────────────────────────────────────────────────────────────────────────────────────────────

test("[R3] a process never claims a run that it holds, and renews it by its fence even after the expiry", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model, times: { renewMs: 60_000, pollMs: 20 } });
  const { runId } = await world.send(process, await world.converse(), "talk");
  (await model.call(1)).say("one", " call");
  await world.expireLeases();
  const claims = () => process.ports.calls.filter((call) => call === "store.runs.claim").length;
  const before = claims();
  await until(() => claims() > before + 3, "more claims");
  (await model.call(1)).end();
  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.text, run.attempt, model.calls.length], ["completed", "one call", 1, 1]);
});

test("[R3] after an outage in which leases may have ended, a claimer waits one lease; a process alone does not", async () => {
  for (const exclusive of [false, true]) {
    const clock = { ahead: 0 };
    const now = () => performance.now() + clock.ahead;
    const model = new ScriptedModel();
    const process = await world.start({ model, exclusive, times: { pollMs: 10 }, now });
    const { calls } = process.ports;
    process.ports.storeAway = true;
    await until(() => calls.includes("store.probe"), "the outage to be noticed");
    clock.ahead += 10_000;
    const { length } = calls;
    process.ports.storeAway = false;
    await until(() => calls.lastIndexOf("store.probe") >= length, "the end of the outage");
    const { runId } = await world.send(process, await world.converse(), "talk");
    if (!exclusive) {
      const claims = () => calls.slice(length).filter((call) => call === "store.runs.claim").length;
      for (let i = 0; i < 20; i++) {
        process.engine.wake();
        await setImmediate();
      }
      assert.equal(claims(), 0);
      clock.ahead += 15_000;
    }
    (await model.call(1)).end();
    await world.ended(runId);
    await process.stop();
  }
});

test("[R3] past its own deadline an owner starts no call and commits nothing, until another takes over", async () => {
  for (const call of ["log.seal", "model"]) {
    const clock = { ahead: 0 };
    const model = new ScriptedModel();
    const process = await world.start({
      model,
      times: { leaseMs: 15_000, renewMs: 60_000, pollMs: 20 },
      now: () => performance.now() + clock.ahead,
    });
    process.ports.arm({ kind: "pause after", call, nth: 1 });
    const { runId } = await world.send(process, await world.converse(), "talk");
    if (call === "model") (await model.call(1)).say("text");
    else await until(() => process.ports.hit, "the pause");
    clock.ahead = 15_000;
    if (call === "model") (await model.call(1)).end();
    process.ports.resume();
    const claims = () => process.ports.calls.filter((name) => name === "store.runs.claim").length;
    const before = claims();
    await until(() => claims() > before + 3, "more claims");
    assert.equal(process.ports.calls.includes("store.runs.commit"), false);
    assert.equal(model.calls.length, call === "model" ? 1 : 0);
    assert.equal(process.engine.held, 1);
    await world.kill(process);

    const next = new ScriptedModel();
    await world.start({ model: next });
    (await next.call(1)).end();
    assert.equal((await world.ended(runId)).status, "completed");
  }
});

test("[R4] a run that somebody else has claimed is dropped at once: no commit, no event", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model, times: { renewMs: 50 } });
  const conversationId = await world.converse();
  const { runId } = await world.send(process, conversationId, "talk");
  (await model.call(1)).say("mine");
  await world.expireLeases();
  const other = await world.store.runs.claim("another", {
    limit: 1,
    leaseMs: 60_000,
    held: [],
    transcriptBytes: 1_000,
  });
  assert.equal(other.runs[0]?.run.id, runId);
  await until(() => process.engine.held === 0, "the loss to be noticed");
  const head = await world.log.state(`conversation:${conversationId}`);
  (await model.call(1)).say("not mine");
  (await model.call(1)).end();
  assert.equal((await world.log.state(`conversation:${conversationId}`))?.seq, head?.seq);
  assert.equal(process.ports.calls.includes("store.runs.commit"), false);

  await world.store.runs.release(other.runs.map(({ lease }) => lease));
  process.engine.wake();
  (await model.call(2)).end();
  await world.ended(runId);
});

test("[R3][R5] the lease of a dead process ends by itself, and a living one, which renews, goes on with the run", async () => {
  const dead = new ScriptedModel();
  const first = await world.start({ model: dead, exclusive: false, times: { leaseMs: 300, renewMs: 50 } });
  const { runId } = await world.send(first, await world.converse(), "talk");
  (await dead.call(1)).say("lost");
  await world.kill(first);

  const model = new ScriptedModel();
  const times = { renewMs: 50, pollMs: 20 };
  for (const exclusive of [false, false]) await world.start({ model, exclusive, times });
  const call = await model.call(1);
  const leaseEnds = async () => {
    const rows = await runAsAdmin<{ until: Date }>(
      world.world,
      `select lease_until as until from runs where id = '${runId}'`,
    );
    return rows[0]?.until.getTime() ?? 0;
  };
  const before = await leaseEnds();
  await until(async () => (await leaseEnds()) > before, "a renewal");
  call.say("kept");
  call.end();
  const run = await world.ended(runId);
  assert.deepEqual([run.text, run.attempt, model.calls.length], ["kept", 2, 1]);
});

test("[R5] a takeover cuts the text off and repeats the call; the part does not start again", async () => {
  const first = await world.start({ tokensPerSecond: 50 });
  const conversationId = await world.converse();
  const { runId } = await world.send(first, conversationId, "count to 30");
  const seen = async () => (await world.log.state(`conversation:${conversationId}`))?.accumulators[0]?.text ?? "";
  await until(async () => (await seen()).length > 5, "some text in the log");
  await world.kill(first);
  await world.start();
  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.attempt, run.text], ["completed", 2, upTo(30)]);
  assert.equal(run.steps[0]?.attempt, 2);
  const reading = await world.read(conversationId, 1);
  assert.equal(reading.resets, 1);
  assert.equal(reading.text(run.assistantMessageId), upTo(30));
});

// ── stopping the process ──────────────────────────────────────────────────────────────────────────────────────────

test("[R12] drain claims nothing new, lets runs end, and hands over what does not in time", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model, times: { handOffMs: 300 } });
  const [short, long] = [await world.converse(), await world.converse()];
  const ending = await world.send(process, short, "short");
  const lasting = await world.send(process, long, "long");
  (await model.call(2)).say("first half");
  const stopping = process.engine.stop(1_000);
  assert.equal(process.engine.stop(1), stopping);
  const late = await world.send(process, await world.converse(), "late");
  const first = model.calls.find(({ asked }) => asked === "short");
  first?.say("whole");
  first?.end();
  await stopping;
  assert.equal((await world.run(ending.runId)).text, "whole");
  assert.equal((await world.run(late.runId)).status, "queued");
  assert.equal((await world.run(lasting.runId)).status, "running");
  assert.equal(process.engine.held, 0);

  // Handed back is not an attempt [R6], and anybody may go on at once.
  const next = new ScriptedModel();
  await world.start({ model: next, exclusive: false });
  for (const n of [1, 2]) {
    (await next.call(n)).say("second owner");
    (await next.call(n)).end();
  }
  const run = await world.ended(lasting.runId);
  assert.deepEqual([run.status, run.attempt, run.text], ["completed", 1, "second owner"]);
  assert.equal((await world.ended(late.runId)).status, "completed");
  assert.equal((await world.read(long, 1)).text(run.assistantMessageId), "second owner");
});

test("[R12] a stopped engine claims nothing, whatever it is asked", async () => {
  const process = await world.start({ model: new ScriptedModel() });
  await Promise.all([process.engine.stop(100), process.engine.stop(5_000)]);
  const calls = process.ports.calls.length;
  await process.engine.start();
  process.engine.wake();
  await setImmediate();
  assert.equal(process.ports.calls.length, calls);
});

// ── outages ───────────────────────────────────────────────────────────────────────────────────────────────────────

test("[R8] a log that lost everything gets the whole text again; the run never notices", async () => {
  const log = new FaultyEventLog(() => new MemoryEventLog(), 1, NO_FAULTS);
  world.useLog(log);
  const model = new ScriptedModel();
  const process = await world.start({ model });
  const conversationId = await world.converse();
  const topic = `conversation:${conversationId}`;
  const { runId } = await world.send(process, conversationId, "talk");
  const call = await model.call(1);
  call.say("before");
  await until(async () => (await world.log.state(topic))?.accumulators[0]?.text === "before", "the text in the log");
  const epoch = (await world.log.state(topic))?.epoch;
  await log.restart();
  call.say(" and", " after");
  await until(
    async () => (await world.log.state(topic))?.accumulators[0]?.text === "before and after",
    "the text in the new epoch",
  );
  assert.notEqual((await world.log.state(topic))?.epoch, epoch);
  call.end();
  const run = await world.ended(runId);
  assert.equal(run.text, "before and after");
  const reading = await world.read(conversationId, 1);
  assert.deepEqual(reading.ended, [runId]);
  assert.equal(reading.text(run.assistantMessageId), "before and after");
});

test("[R8] with the log away, runs start, stream and end; readers get the end later", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model, times: { logMs: 100, outboxMs: 100 } });
  process.ports.logAway = true;
  const conversationId = await world.converse();
  const { runId } = await world.send(process, conversationId, "talk");
  (await model.call(1)).say("unheard");
  (await model.call(1)).end();
  const run = await world.ended(runId, 20_000);
  assert.deepEqual([run.status, run.text], ["completed", "unheard"]);
  process.ports.logAway = false;
  // The text never came: its end says so by its length, and the reader reads it from the store.
  const reading = await world.read(conversationId, 1, 1);
  assert.deepEqual(reading.ended, [runId]);
});

test("[R8] with the store away at the end, the text is kept and committed when it is back", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model, exclusive: false, times: { leaseMs: 400, renewMs: 100, pollMs: 50 } });
  const conversationId = await world.converse();
  const { runId } = await world.send(process, conversationId, "talk");
  const call = await model.call(1);
  call.say("first", " half");
  process.ports.storeAway = true;
  await world.expireLeases();
  call.say(", second half");
  call.end();
  const calls = () => process.ports.calls.filter((name) => name === "store.runs.renew").length;
  const before = calls();
  await until(() => calls() > before + 3, "renewals that fail");
  assert.equal(
    (await runAsAdmin<{ status: string }>(world.world, `select status from runs where id = '${runId}'`))[0]?.status,
    "running",
  );
  process.ports.storeAway = false;
  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.text, run.attempt], ["completed", "first half, second half", 1]);
  assert.equal((await world.read(conversationId, 1)).text(run.assistantMessageId), run.text);
});

test("a start that can't reach its store says so", async () => {
  const process = await world.start({ exclusive: false });
  process.ports.storeAway = true;
  await assert.rejects(
    world.start({ store: process.ports.store }),
    (error: unknown) => error instanceof ParleyError && error.code === "UNAVAILABLE",
  );
});
