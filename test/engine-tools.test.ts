/** The agent's loop over a real store and log: tools, approvals, steers, with a model that says what the test says. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { ToolPart } from "../src/protocol/shapes.ts";
import { ScriptedModel, spoken } from "./engine-model.ts";
import type { Process, ProcessOptions } from "./engine-process.ts";
import { CountingTools } from "./engine-tools.ts";
import { EngineWorld } from "./engine-world.ts";
import { until } from "./support/until.ts";

let world: EngineWorld;
before(async () => {
  world = await EngineWorld.embedded();
});
afterEach(() => world.close());
after(() => world.store.close());

async function started(tools: CountingTools, options: Partial<ProcessOptions> = {}) {
  const model = new ScriptedModel();
  const process = await world.start({ model, tools: tools.all, ...options });
  const conversationId = await world.converse();
  return { model, process, conversationId };
}

const partsOf = async (runId: string) => {
  const { assistantMessageId, conversationId } = await world.run(runId);
  const snapshot = await world.store.conversations.snapshot(world.scope, conversationId, 100_000);
  const message = snapshot?.messages.find(({ id }) => id === assistantMessageId);
  assert.ok(message);
  return message.parts;
};
const toolsOf = async (runId: string): Promise<ToolPart[]> =>
  (await partsOf(runId)).filter((part) => part.type === "tool");
const waits = (runId: string) =>
  until(async () => (await world.run(runId)).status === "waiting", `run ${runId} to wait`);
const pending = async () => {
  const [approval] = await world.store.approvals.pending(world.scope);
  assert.ok(approval);
  return approval;
};
async function decide(process: Process, decision: Partial<Parameters<typeof world.store.approvals.decide>[2]> = {}) {
  const { id } = await pending();
  const decided = await world.store.approvals.decide(world.scope, id, {
    approve: true,
    args: null,
    remember: false,
    ...decision,
  });
  assert.ok(decided?.decided);
  await process.engine.announce(decided.announce);
  process.engine.wake();
  return decided.approval;
}

// ── the loop ──────────────────────────────────────────────────────────────────────────────────────────────────────

test("a tool's answer goes to the model, and all of it is one message", async () => {
  const tools = new CountingTools();
  const { model, process, conversationId } = await started(tools);
  const { runId } = await world.send(process, conversationId, "do it");
  const first = await model.call(1);
  assert.deepEqual(
    first.request.tools.map(({ name }) => name),
    ["read", "idempotent", "unsafe", "transactional"],
  );
  first.think("I ", "could.");
  first.say("Let me ", "see.");
  first.callTool("c1", "read", { what: "x" });
  first.end("tool-calls", { signed: "so" });
  const second = await model.call(2);
  assert.deepEqual(spoken(second.request.messages), [
    ["user", "do it"],
    ["assistant", 'I could.Let me see.read({"what":"x"})'],
    ["tool", '"did x"'],
  ]);
  const told = second.request.messages.find(({ role }) => role === "assistant");
  assert.deepEqual(told?.role === "assistant" ? told.continuation : undefined, { signed: "so" });
  second.say("Done.");
  second.end();

  const run = await world.ended(runId);
  assert.equal(run.status, "completed");
  assert.deepEqual(
    run.steps.map(({ kind, name, status }) => [kind, name, status]),
    [
      ["model", "demo", "completed"],
      ["tool", "read", "completed"],
      ["model", "demo", "completed"],
    ],
  );
  const parts = await partsOf(runId);
  assert.deepEqual(
    parts.map((part) => (part.type === "tool" ? [part.name, part.args, part.result, part.status] : part.type)),
    ["reasoning", "text", ["read", { what: "x" }, "did x", "completed"], "text"],
  );
  const reading = await world.read(conversationId, 1);
  assert.equal(reading.texts.get(`${run.assistantMessageId} 2`), '{"what":"x"}');
  assert.equal(reading.texts.get(`${run.assistantMessageId} 3`), "Done.");
});

test("parallel calls all keep their results, in whatever order they end", async () => {
  const tools = new CountingTools();
  const gates = new Map<string, PromiseWithResolvers<void>>();
  tools.during = async (what) => {
    const gate = Promise.withResolvers<void>();
    gates.set(what, gate);
    await gate.promise;
    return what;
  };
  const { model, process, conversationId } = await started(tools);
  const { runId } = await world.send(process, conversationId, "all at once");
  const call = await model.call(1);
  const names = ["a", "b", "c", "d", "e"];
  for (const what of names) call.callTool(`call-${what}`, "read", { what });
  call.end("tool-calls");
  await until(() => gates.size === names.length, "all of them to run");
  for (const what of ["c", "a", "e"]) gates.get(what)?.resolve();
  await until(async () => (await toolsOf(runId)).filter(({ status }) => status === "completed").length === 3, "three");
  for (const what of ["b", "d"]) gates.get(what)?.resolve();
  (await model.call(2)).end();
  await world.ended(runId);
  assert.deepEqual(
    (await toolsOf(runId)).map(({ result, status }) => [result, status]),
    names.map((what) => [what, "completed"]),
  );
});

test("a tool that is not there, and arguments that are wrong, are told to the model", async () => {
  const { model, process, conversationId } = await started(new CountingTools());
  const { runId } = await world.send(process, conversationId, "guess");
  const call = await model.call(1);
  call.callTool("c1", "rm", {});
  call.callTool("c2", "read", { what: 7 });
  call.callTool("c3", "read", "[broken");
  call.end("tool-calls");
  (await model.call(2)).end();
  await world.ended(runId);
  const errors = (await toolsOf(runId)).map(({ status, error }) => [status, error?.split("\n")[0]]);
  assert.deepEqual(errors, [
    ["failed", 'Nothing was run: There is no tool "rm". There are: read, idempotent, unsafe, transactional.'],
    ["failed", "Nothing was run: The arguments do not fit the tool read:"],
    ["failed", "Nothing was run: The arguments are no JSON object."],
  ]);
});

test("a tool that fails does not end the run", async () => {
  const tools = new CountingTools();
  tools.during = () => Promise.reject(new Error("secret detail"));
  const { model, process, conversationId } = await started(tools);
  const { runId } = await world.send(process, conversationId, "fail");
  const call = await model.call(1);
  call.callTool("c1", "read", { what: "x" });
  call.end("tool-calls");
  (await model.call(2)).end();
  assert.equal((await world.ended(runId)).status, "completed");
  const [part] = await toolsOf(runId);
  assert.equal(part?.status, "failed");
  assert.doesNotMatch(part?.error ?? "", /secret/);
  // The tool's bug is in the log.
  assert.equal(process.errors.length, 1);
  process.lines.length = 0;
});

test("[R6] a run calls the model no more often than it may", async () => {
  const { model, process, conversationId } = await started(new CountingTools(), { bounds: { maxSteps: 2 } });
  const { runId } = await world.send(process, conversationId, "again and again");
  for (const n of [1, 2]) {
    const call = await model.call(n);
    call.callTool(`c${n}`, "read", { what: `${n}` });
    call.end("tool-calls");
  }
  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.error?.code, model.calls.length], ["failed", "RUN_LIMIT", 2]);
});

test("ids of calls that come twice do not mix two calls up", async () => {
  const tools = new CountingTools();
  const { model, process, conversationId } = await started(tools);
  const { runId } = await world.send(process, conversationId, "same ids");
  for (const n of [1, 2]) {
    const call = await model.call(n);
    call.callTool("call_0", "idempotent", { what: `${n}` });
    call.end("tool-calls");
  }
  (await model.call(3)).end();
  await world.ended(runId);
  assert.deepEqual(
    (await toolsOf(runId)).map(({ result }) => result),
    ["did 1", "did 2"],
  );
  assert.equal(new Set(tools.deeds.map(({ toolCallId }) => toolCallId)).size, 2);
});

// ── approvals ─────────────────────────────────────────────────────────────────────────────────────────────────────

test("[R7] exactly the approved arguments run, after a restart too", async () => {
  const tools = new CountingTools("ask");
  const { model, process, conversationId } = await started(tools);
  const { runId } = await world.send(process, conversationId, "delete it");
  const call = await model.call(1);
  call.callTool("c1", "unsafe", { what: "notes" });
  call.end("tool-calls");
  await waits(runId);
  await until(() => process.engine.held === 0, "the worker to let go of it");
  await world.kill(process);

  const next = await world.start({ model, tools: tools.all });
  assert.deepEqual(tools.deeds, []);
  assert.equal((await pending()).summary, "It does notes.");
  await decide(next, { args: { what: "drafts" } });
  (await model.call(2)).end();
  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.attempt], ["completed", 1]);
  assert.deepEqual(tools.deeds, [{ effect: "unsafe", toolCallId: "c1", what: "drafts" }]);
  const [part] = await toolsOf(runId);
  assert.deepEqual([part?.args, part?.status], [{ what: "drafts" }, "completed"]);
});

test("[R7] denied is told to the model; nothing runs", async () => {
  const tools = new CountingTools("ask");
  const { model, process, conversationId } = await started(tools);
  const { runId } = await world.send(process, conversationId, "delete it");
  const call = await model.call(1);
  call.callTool("c1", "unsafe", { what: "notes" });
  call.end("tool-calls");
  await waits(runId);
  await decide(process, { approve: false });
  const second = await model.call(2);
  assert.equal(second.asked, "The person did not allow this call.");
  second.end();
  await world.ended(runId);
  assert.deepEqual([tools.deeds, (await toolsOf(runId))[0]?.status], [[], "denied"]);
});

test("[R7] a question that nobody answers is denied in its time", async () => {
  const tools = new CountingTools("ask");
  const bounds = { approvalMs: 100 };
  const { model, process, conversationId } = await started(tools, { bounds, times: { pollMs: 20 } });
  const { runId } = await world.send(process, conversationId, "delete it");
  const call = await model.call(1);
  call.callTool("c1", "unsafe", { what: "notes" });
  call.end("tool-calls");
  const second = await model.call(2);
  assert.equal(second.asked, "Nobody decided in time, so it was not run.");
  second.end();
  await world.ended(runId);
  assert.deepEqual(tools.deeds, []);
});

test("[R7] what needs no leave runs while the rest waits for it", async () => {
  const tools = new CountingTools();
  const asking = new CountingTools("ask");
  const mixed = [
    ...tools.all.filter(({ name }) => name !== "unsafe"),
    ...asking.all.filter(({ name }) => name === "unsafe"),
  ];
  const model = new ScriptedModel();
  const process = await world.start({ model, tools: mixed });
  const conversationId = await world.converse();
  const { runId } = await world.send(process, conversationId, "both");
  const call = await model.call(1);
  call.callTool("c1", "read", { what: "a" });
  call.callTool("c2", "unsafe", { what: "b" });
  call.callTool("c3", "transactional", { what: "c" });
  call.end("tool-calls");
  await waits(runId);
  assert.deepEqual(
    (await toolsOf(runId)).map(({ status }) => status),
    ["completed", "waiting", "completed"],
  );
  await decide(process);
  (await model.call(2)).end();
  await world.ended(runId);
  assert.deepEqual([tools.of("read", "a"), asking.of("unsafe", "b")], [1, 1]);
  assert.deepEqual(
    (await world.store.memories.list(world.scope, { limit: 10 })).memories.filter(({ text }) => text === "c").length,
    1,
  );
});

test("[R7] always allowed is not asked again", async () => {
  const tools = new CountingTools("ask");
  const { model, process, conversationId } = await started(tools);
  const first = await world.send(process, conversationId, "delete it");
  const call = await model.call(1);
  call.callTool("c1", "idempotent", { what: "1" });
  call.end("tool-calls");
  await waits(first.runId);
  await decide(process, { remember: true });
  (await model.call(2)).end();
  await world.ended(first.runId);
  const second = await world.send(process, conversationId, "and that");
  const again = await model.call(3);
  again.callTool("c2", "idempotent", { what: "2" });
  again.end("tool-calls");
  (await model.call(4)).end();
  assert.equal((await world.ended(second.runId)).status, "completed");
  assert.equal(tools.of("idempotent", "2"), 1);
});

test("[R7][R11] stop ends a run that waits, and what it asked", async () => {
  const tools = new CountingTools("ask");
  const { model, process, conversationId } = await started(tools);
  const { runId } = await world.send(process, conversationId, "delete it");
  const call = await model.call(1);
  call.say("I ask.");
  call.callTool("c1", "unsafe", { what: "notes" });
  call.end("tool-calls");
  await waits(runId);
  const { id } = await pending();
  assert.ok(await world.stop(process, { conversationId }));
  process.engine.wake();
  const run = await world.ended(runId);
  assert.equal(run.status, "stopped");
  assert.deepEqual(tools.deeds, []);
  assert.equal((await toolsOf(runId))[0]?.status, "stopped");
  assert.equal((await world.store.approvals.find(world.scope, id))?.status, "cancelled");
});

test("[R11] stop ends a run in the middle of its tools", async () => {
  const tools = new CountingTools();
  let aborted = false;
  tools.during = (_what, { signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        aborted = true;
        reject(new Error("aborted"));
      });
    });
  const { model, process, conversationId } = await started(tools);
  const { runId } = await world.send(process, conversationId, "slow");
  const call = await model.call(1);
  call.callTool("c1", "idempotent", { what: "x" });
  call.end("tool-calls");
  await until(() => tools.deeds.length === 1, "the tool to run");
  await world.stop(process, { runId });
  const run = await world.ended(runId);
  assert.equal(run.status, "stopped");
  const [part] = await toolsOf(runId);
  assert.deepEqual([part?.status, part?.error], ["stopped", "The run ended while it ran. It may have taken effect."]);
  await until(() => aborted, "the tool to hear of it");
});

// ── messages that join ────────────────────────────────────────────────────────────────────────────────────────────

test("[R2] a message that steers joins between two steps; the branch is one line", async () => {
  const tools = new CountingTools();
  const gate = Promise.withResolvers<void>();
  tools.during = async (what) => {
    await gate.promise;
    return what;
  };
  const { model, process, conversationId } = await started(tools);
  const first = await world.send(process, conversationId, "research a");
  const call = await model.call(1);
  call.say("I look.");
  call.callTool("c1", "read", { what: "a" });
  call.end("tool-calls");
  await until(() => tools.deeds.length === 1, "the tool to run");
  const steer = await world.send(process, conversationId, "rather b", { whenBusy: "steer" });
  assert.deepEqual([steer.state, steer.runId], ["steered", first.runId]);
  gate.resolve();
  const second = await model.call(2);
  assert.deepEqual(spoken(second.request.messages), [
    ["user", "research a"],
    ["assistant", 'I look.read({"what":"a"})'],
    ["tool", '"a"'],
    ["user", "rather b"],
  ]);
  second.say("Now b.");
  second.end();
  await world.ended(first.runId);
  const snapshot = await world.store.conversations.snapshot(world.scope, conversationId, 100_000);
  const messages = snapshot?.messages ?? [];
  assert.deepEqual(
    messages.map(({ role, status }) => [role, status]),
    [
      ["user", "complete"],
      ["assistant", "complete"],
      ["user", "complete"],
      ["assistant", "complete"],
    ],
  );
  for (const [i, message] of messages.entries()) assert.equal(message.parentId, messages[i - 1]?.id ?? null);
  assert.equal(snapshot?.conversation.headMessageId, messages.at(-1)?.id);
});

test("[R2] a run with messages that want to join does not end without them", async () => {
  const { model, process, conversationId } = await started(new CountingTools());
  const { runId } = await world.send(process, conversationId, "one");
  const call = await model.call(1);
  call.say("first");
  await world.send(process, conversationId, "two", { whenBusy: "steer" });
  await world.send(process, conversationId, "three", { whenBusy: "steer" });
  call.end();
  const second = await model.call(2);
  assert.deepEqual(spoken(second.request.messages), [
    ["user", "one"],
    ["assistant", "first"],
    ["user", "two"],
    ["user", "three"],
  ]);
  second.say("second");
  second.end();
  assert.equal((await world.ended(runId)).text, "second");
});

test("[R2] what did not join a run that was stopped gets a run of its own", async () => {
  const { model, process, conversationId } = await started(new CountingTools());
  const { runId } = await world.send(process, conversationId, "one");
  const call = await model.call(1);
  call.say("first");
  await world.send(process, conversationId, "two", { whenBusy: "steer" });
  await world.stop(process, { runId });
  assert.equal((await world.ended(runId)).status, "stopped");
  const second = await model.call(2);
  assert.deepEqual(spoken(second.request.messages).at(-1), ["user", "two"]);
  second.say("second");
  second.end();
  await world.read(conversationId, 2);
  const snapshot = await world.store.conversations.snapshot(world.scope, conversationId, 100_000);
  assert.deepEqual(
    snapshot?.messages.map(({ status }) => status),
    ["complete", "stopped", "complete", "complete"],
  );
});
