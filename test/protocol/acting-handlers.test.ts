/** Approvals, memories and tools over the real store: who may decide, what stands, what is told and what is not. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import type { Scope } from "../../src/ports/store.ts";
import { MAX_FRAME_OUT } from "../../src/protocol/constants.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { createBuiltinTools } from "../../src/tools/builtin.ts";
import { createToolCatalog } from "../../src/tools/registry.ts";
import { Harness } from "../support/gateway-harness.ts";
import { connectAs, RecordingAgent } from "../support/handlers-world.ts";
import { openTestPglite } from "../support/pglite.ts";
import { asked, type AskOptions, claimAll, commit, newUser, worldOf } from "../support/store-world.ts";

const agent = new RecordingAgent();
const world = worldOf(await openTestPglite());
const { store } = world;
const tools = createToolCatalog(createBuiltinTools());
const harness = new Harness({ store, agent, tools });

const { tenant, user } = await store.sessions.owner();
const scope: Scope = { tenantId: tenant.id, userId: user.id };
const owner = await harness.user();
const stranger = await connectAs(harness, store, await newUser(world, tenant.id));

after(async () => {
  harness.gateway.close();
  await store.close();
});

const deletion = (options: AskOptions = {}) => asked(world, scope, { tool: "file_delete", ...options });

test("[R7] approval.decide: the run goes on, its readers hear of it, the agent is woken", async () => {
  const { approvalId, runId } = await deletion();
  const pending = await owner.ok("approval.list", {});
  assert.deepEqual(pending.approvals.at(-1)?.id, approvalId);
  agent.take();
  const { approval } = await owner.ok("approval.decide", { approvalId, decision: "approve" });
  assert.deepEqual([approval.status, approval.decidedBy, approval.args], ["approved", user.id, { name: "a.txt" }]);
  assert.ok(!("decidedArgs" in approval));
  assert.deepEqual(agent.take(), {
    calls: ["wake"],
    names: ["conversation approval.decided", "conversation run.updated"],
  });
  const { run } = await owner.ok("run.get", { runId });
  assert.equal(run.status, "running");
  assert.deepEqual((await owner.ok("approval.list", {})).approvals, []);
});

test("[R7] approval.decide: the same decision again is answered with it, another one is ALREADY_DECIDED", async () => {
  const approved = await deletion();
  const denied = await deletion();
  const edited = await deletion();
  await owner.ok("approval.decide", { approvalId: approved.approvalId, decision: "approve" });
  await owner.ok("approval.decide", { approvalId: denied.approvalId, decision: "deny" });
  await owner.ok("approval.decide", { approvalId: edited.approvalId, decision: "approve", args: { name: "b.txt" } });
  agent.take();
  const decide = (of: { approvalId: string }, decision: "approve" | "deny", args?: Record<string, unknown>) => ({
    approvalId: of.approvalId,
    decision,
    ...(args === undefined ? {} : { args }),
  });
  for (const [params, status] of [
    [decide(approved, "approve"), "approved"],
    [decide(approved, "approve", { name: "a.txt" }), "approved"],
    [decide(denied, "deny"), "denied"],
    [decide(edited, "approve", { name: "b.txt" }), "approved"],
  ] as const) {
    assert.equal((await owner.ok("approval.decide", params)).approval.status, status);
  }
  for (const params of [
    decide(approved, "deny"),
    decide(approved, "approve", { name: "b.txt" }),
    decide(denied, "approve"),
    decide(edited, "deny"),
    decide(edited, "approve"),
  ]) {
    await owner.fails("ALREADY_DECIDED", "approval.decide", params);
  }
  assert.deepEqual(agent.take(), { calls: [], names: [] });
});

test("[R7] approval.decide: of two decisions at once one stands", async () => {
  const { approvalId } = await deletion();
  const second = await harness.user();
  const answers = await Promise.all([
    owner.answer(owner.request("approval.decide", { approvalId, decision: "approve" })),
    second.answer(second.request("approval.decide", { approvalId, decision: "deny" })),
  ]);
  const lost = answers.filter((frame) => "error" in frame);
  assert.equal(lost.length, 1);
  assert.ok(lost[0] !== undefined && "error" in lost[0]);
  assert.equal(lost[0].error.data.code, "ALREADY_DECIDED");
});

test("[R7] approval.decide: edited arguments run as they are, or are refused with the reason", async () => {
  const { approvalId, lease } = await deletion();
  agent.take();
  for (const args of [{}, { name: 5 }, { name: "b.txt", force: true }, { name: "x".repeat(256) }]) {
    const error = await owner.fails("INVALID_PARAMS", "approval.decide", { approvalId, decision: "approve", args });
    assert.match(error.message, /^The arguments do not fit the tool file_delete:\n- /);
    assert.equal(error.data.issues?.[0]?.path, "args");
  }
  assert.deepEqual(agent.take(), { calls: [], names: [] });
  await owner.ok("approval.decide", { approvalId, decision: "approve", args: { name: "b.txt" } });
  const { runs } = await claimAll(world);
  const claimed = runs.find((run) => run.lease.runId === lease.runId);
  assert.deepEqual(claimed?.approvals.find(({ id }) => id === approvalId)?.decidedArgs, { name: "b.txt" });
});

test("[R7] approval.decide: to remember allows the tool from now on; to deny does not", async () => {
  const first = await deletion({ tool: "file_delete" });
  await owner.ok("approval.decide", { approvalId: first.approvalId, decision: "deny", remember: true });
  const second = await deletion({ tool: "file_delete" });
  await owner.ok("approval.decide", { approvalId: second.approvalId, decision: "approve", remember: true });
  const { runs } = await claimAll(world);
  const allowed = new Map(runs.map(({ lease, allowedTools }) => [lease.runId, allowedTools]));
  assert.deepEqual(allowed.get(second.runId), ["file_delete"]);
});

test("[R7] approval.decide: nobody decides what is over, or another's", async () => {
  const cancelled = await deletion();
  await store.runs.stop(scope, { runId: cancelled.runId });
  for (const run of (await claimAll(world)).runs) {
    if (run.lease.runId === cancelled.runId) await commit(world, run.lease, { end: { status: "stopped" } });
  }
  const over = await owner.fails("ALREADY_DECIDED", "approval.decide", {
    approvalId: cancelled.approvalId,
    decision: "deny",
  });
  assert.equal(over.message, "The run has ended, and with it this question.");

  const late = await deletion({ timeoutMs: -1 });
  await store.approvals.expire(10);
  const expired = await owner.fails("ALREADY_DECIDED", "approval.decide", {
    approvalId: late.approvalId,
    decision: "approve",
  });
  assert.equal(expired.message, "Nobody decided in time, so it was denied.");

  const { approvalId } = await deletion();
  await stranger.fails("NOT_FOUND", "approval.decide", { approvalId, decision: "approve" });
  await owner.fails("NOT_FOUND", "approval.decide", { approvalId: uuidv7(), decision: "approve" });
  await owner.fails("NOT_FOUND", "approval.decide", { approvalId: "nonsense", decision: "approve" });
  assert.deepEqual((await stranger.ok("approval.list", {})).approvals, []);
  await owner.ok("approval.decide", { approvalId, decision: "deny" });
});

test("[W11] approvals fit a frame: where there is no room for arguments, they are in the call's part", async () => {
  const large = [];
  for (let i = 0; i < 5; i++) large.push(await deletion({ args: { name: "x".repeat(40_000) } }));
  const { approvals } = await owner.ok("approval.list", {});
  assert.deepEqual(
    approvals.map(({ id }) => id),
    large.map(({ approvalId }) => approvalId),
  );
  assert.deepEqual(
    approvals.map(({ args }) => Object.keys(args).length),
    [1, 1, 1, 0, 0],
  );
  assert.ok(Buffer.byteLength(JSON.stringify(approvals)) < MAX_FRAME_OUT);
  const huge = await deletion({ args: { name: "x".repeat(300_000) } });
  const { approval } = await owner.ok("approval.decide", { approvalId: huge.approvalId, decision: "deny" });
  assert.deepEqual([approval.status, approval.args], ["denied", {}]);
  for (const { approvalId } of large) await owner.ok("approval.decide", { approvalId, decision: "deny" });
});

test("tool.list says what each tool does, and whether a person is asked", async () => {
  const list = await owner.ok("tool.list", {});
  assert.deepEqual(list.tools, tools.list());
  const { parameters, ...deletes } = list.tools.find(({ name }) => name === "file_delete")!;
  assert.deepEqual([deletes.effect, deletes.approval, parameters["type"]], ["unsafe", "ask", "object"]);
});

const key = () => uuidv7();

test("memories are created, listed, changed and deleted by their user alone", async () => {
  const { memory } = await owner.ok("memory.create", { text: " I like tea. ", idempotencyKey: key() });
  assert.equal(memory.text, "I like tea.");
  assert.deepEqual((await owner.ok("memory.list", {})).memories, [memory]);
  assert.deepEqual((await stranger.ok("memory.list", {})).memories, []);
  const changed = await owner.ok("memory.update", { memoryId: memory.id, text: "I like coffee." });
  assert.deepEqual(changed.memory, { ...memory, text: "I like coffee." });
  for (const memoryId of [memory.id, uuidv7(), "nonsense"]) {
    await stranger.fails("NOT_FOUND", "memory.update", { memoryId, text: "Mine" });
    await stranger.fails("NOT_FOUND", "memory.delete", { memoryId });
  }
  await owner.ok("memory.delete", { memoryId: memory.id });
  await owner.fails("NOT_FOUND", "memory.delete", { memoryId: memory.id });
  assert.deepEqual((await owner.ok("memory.list", {})).memories, []);
});

test("[W10] memory.create with the same key has one effect", async () => {
  const idempotencyKey = key();
  const first = await owner.ok("memory.create", { text: "Once", idempotencyKey });
  assert.deepEqual(await owner.ok("memory.create", { text: "Once", idempotencyKey }), first);
  await owner.fails("IDEMPOTENCY_MISMATCH", "memory.create", { text: "Twice", idempotencyKey });
  assert.equal((await owner.ok("memory.list", {})).memories.length, 1);
  await owner.ok("memory.delete", { memoryId: first.memory.id });
});

test("[W11] a page of the longest memories fits a frame, and pages hold each once", async () => {
  const reader = await connectAs(harness, store, await newUser(world, tenant.id));
  const texts = Array.from({ length: 45 }, (_, i) => `${i} ${'\u4e16\u0007\n"'.repeat(2_000)}`.slice(0, 2_000));
  for (const text of texts) await reader.ok("memory.create", { text, idempotencyKey: key() });
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 5; page++) {
    const { memories, nextCursor } = await reader.ok("memory.list", cursor === undefined ? {} : { cursor });
    assert.ok(Buffer.byteLength(JSON.stringify(memories)) < MAX_FRAME_OUT - 1024);
    seen.push(...memories.map(({ text }) => text.split(" ", 1)[0] ?? ""));
    if (nextCursor === null) break;
    cursor = nextCursor;
  }
  assert.deepEqual(seen, texts.map((_, i) => String(i)).toReversed());
});

test("[W1] blank, endless and broken memories are refused", async () => {
  for (const text of ["", "  \n", "x".repeat(2_001), "a\0b"]) {
    await owner.fails("INVALID_PARAMS", "memory.create", { text, idempotencyKey: key() });
  }
  await owner.fails("INVALID_PARAMS", "memory.list", { cursor: "nonsense" });
});
