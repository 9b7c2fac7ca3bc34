import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlainTool, Tool, ToolRegistry } from "../ports/tool.ts";
import { type ToolArgs, toolArgs, type ToolEffect, type ToolPart } from "../protocol/shapes.ts";
import { type CallFacts, settleCall, type Settlement } from "./tool-call.ts";

const base = {
  description: "d",
  schema: toolArgs,
  summary: () => "It is done.",
  timeoutMs: 1000,
  maxResultBytes: 1000,
};
function aTool(effect: ToolEffect, approval: "ask" | "never", reconcile?: PlainTool["reconcile"]): Tool {
  if (effect === "transactional") return { ...base, name: effect, effect, approval, run: async () => null };
  const plain = { ...base, name: effect, effect, approval, concurrency: 1, retries: 0, run: async () => null };
  return reconcile === undefined ? plain : { ...plain, reconcile };
}

const registry = (tools: readonly Tool[]): Pick<ToolRegistry, "list" | "find" | "refusal"> => ({
  list: () => tools.map(({ name, effect, approval }) => ({ name, description: "", effect, approval, parameters: {} })),
  find: (name) => tools.find((tool) => tool.name === name),
  refusal: (_name, args) => (args["wrong"] === true ? "wrong is not allowed." : undefined),
});

const call = (name: string, fields: Partial<ToolPart> = {}): ToolPart => ({
  type: "tool",
  toolCallId: "t",
  name,
  args: { a: 1 },
  status: "pending",
  ...fields,
});

type Approval = CallFacts["approvals"][number];
const approval = (status: Approval["status"], fields: Partial<Approval> = {}): Approval => ({
  toolCallId: "t",
  reason: "call",
  status,
  decidedArgs: null,
  ...fields,
});
const running = (attempt: number): CallFacts["steps"] => [{ status: "running", attempt, toolCallId: "t" }];

const facts = (fields: Partial<CallFacts> = {}): CallFacts => ({
  steps: [],
  parts: [],
  approvals: [],
  allowedTools: [],
  tools: registry([]),
  ...fields,
});

const start = (part: ToolPart, attempt = 1, args: ToolArgs = part.args): Settlement => ({
  do: "start",
  part,
  args,
  attempt,
  inTransaction: part.name === "transactional",
});

for (const effect of ["read", "transactional", "idempotent", "unsafe"] as const) {
  const tools = registry([aTool(effect, "never")]);
  test(`[R5] a call with effect ${effect} starts`, () => {
    assert.deepEqual(settleCall(call(effect), facts({ tools })), start(call(effect)));
  });
  if (effect === "unsafe") continue;
  test(`[R5] an interrupted call with effect ${effect} runs again as the next attempt`, () => {
    const part = call(effect, { status: "running" });
    assert.deepEqual(settleCall(part, facts({ tools, steps: running(2) })), start(part, 3));
  });
}

const unsafe = registry([aTool("unsafe", "never")]);
const interrupted = call("unsafe", { status: "running" });
const repeat = (status: Approval["status"], fields: Partial<Approval> = {}) =>
  approval(status, { reason: "repeat", ...fields });

test("[R5] an interrupted unsafe call asks a person", () => {
  const asks: Settlement = { do: "ask", part: interrupted, reason: "repeat" };
  assert.deepEqual(settleCall(interrupted, facts({ tools: unsafe, steps: running(1) })), asks);
});
test("[R5] an interrupted unsafe call asks the tool first, where it can tell", () => {
  const tools = registry([aTool("unsafe", "never", async () => ({ state: "unknown" }))]);
  const found = settleCall(interrupted, facts({ tools, steps: running(1) }));
  assert.deepEqual(found, { do: "reconcile", part: interrupted, attempt: 1 });
});
test("[R5] each interrupted attempt needs an answer of its own", () => {
  const approvals = [repeat("approved")];
  const first = facts({ tools: unsafe, steps: running(1), approvals });
  assert.deepEqual(settleCall(interrupted, first), start(interrupted, 2));
  const second = facts({ tools: unsafe, steps: running(2), approvals });
  assert.deepEqual(settleCall(interrupted, second), { do: "ask", part: interrupted, reason: "repeat" });
});
test("[R5] leave to run is not leave to run again", () => {
  const found = settleCall(interrupted, facts({ tools: unsafe, steps: running(1), approvals: [approval("approved")] }));
  assert.deepEqual(found, { do: "ask", part: interrupted, reason: "repeat" });
});
test("[R5] what nobody lets be repeated ends as unknown", () => {
  for (const status of ["denied", "expired", "cancelled"] as const) {
    const found = settleCall(interrupted, facts({ tools: unsafe, steps: running(1), approvals: [repeat(status)] }));
    assert.ok(found?.do === "answer" && found.status === "failed");
    assert.match(found.error, /Nobody knows whether it took effect/);
  }
});

const asking = registry([aTool("unsafe", "ask")]);
const part = call("unsafe");
test("[R7] a tool that asks, asks", () => {
  assert.deepEqual(settleCall(part, facts({ tools: asking })), { do: "ask", part, reason: "call" });
});
test("[R7] what is always allowed does not ask", () => {
  assert.deepEqual(settleCall(part, facts({ tools: asking, allowedTools: ["unsafe"] })), start(part));
});
test("[R7] it waits for the answer", () => {
  const waiting = call("unsafe", { status: "waiting" });
  assert.equal(settleCall(waiting, facts({ tools: asking, approvals: [approval("pending")] })), undefined);
});
test("[R7] exactly the approved arguments run", () => {
  const approvals = [approval("approved", { decidedArgs: { a: 2 } })];
  assert.deepEqual(settleCall(part, facts({ tools: asking, approvals })), start(part, 1, { a: 2 }));
});
test("[R7] denied and expired are told to the model in words", () => {
  const words = { denied: /did not allow/, expired: /Nobody decided/, cancelled: /withdrawn/ };
  for (const status of ["denied", "expired", "cancelled"] as const) {
    const found = settleCall(part, facts({ tools: asking, approvals: [approval(status)] }));
    assert.ok(found?.do === "answer" && found.status === "denied");
    assert.match(found.error, words[status]);
  }
});
test("[R7] somebody else's approval is not this call's", () => {
  const approvals = [approval("approved", { toolCallId: "other" })];
  assert.deepEqual(settleCall(part, facts({ tools: asking, approvals })), { do: "ask", part, reason: "call" });
});

function refusal(given: ToolPart, fields: Partial<CallFacts> = {}): string {
  const found = settleCall(given, facts({ tools: unsafe, ...fields }));
  assert.ok(found?.do === "answer" && found.status === "failed");
  return found.error;
}
test("an unknown tool is named, and those that there are", () => {
  assert.equal(refusal(call("rm")), 'Nothing was run: There is no tool "rm". There are: unsafe.');
});
test("wrong arguments may be mended once", () => {
  const wrong = call("unsafe", { args: { wrong: true } });
  const first = refusal(wrong);
  assert.equal(first, "Nothing was run: wrong is not allowed.");
  const failed = call("unsafe", { toolCallId: "before", status: "failed", error: first });
  assert.match(refusal(wrong, { parts: [failed] }), /Do not call it again/);
});
test("arguments that are no object are refused", () => {
  assert.match(refusal(call("unsafe", { args: {}, argsText: "[1" })), /no JSON object/);
});
test("edited arguments are checked like any others", () => {
  assert.match(refusal(part, { approvals: [approval("approved", { decidedArgs: { wrong: true } })] }), /wrong is not/);
});
test("[R6] a model that makes the same call over and over is not served for ever", () => {
  const parts = Array.from({ length: 5 }, (_, i) => call("unsafe", { toolCallId: `${i}`, status: "completed" }));
  assert.match(refusal(part, { parts }), /several times already/);
  assert.equal(settleCall(part, facts({ tools: unsafe, parts: parts.slice(1) }))?.do, "start");
});
