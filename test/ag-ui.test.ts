import assert from "node:assert/strict";
import test from "node:test";
import { EventSchemas } from "@ag-ui/core/schemas";
import fc from "fast-check";
import { deltaHead, type DeltaPart, encodeDelta } from "../src/protocol/codec.ts";
import { parleyEvent, type ParleyEvent } from "../src/protocol/events.ts";
import type { Approval, ToolPart } from "../src/protocol/shapes.ts";
import { aConversation, aMessage, aRun, aStep, TIME } from "./support/shapes.fake.ts";

const run = aRun({ usage: { inputTokens: 1, outputTokens: 2 } });
const message = aMessage({ id: "m", parts: [{ type: "text", text: "1 2 3", length: 5 }], runId: "r" });
const conversation = aConversation({ title: "Counting" });
const step = aStep({ id: "s", runId: "r", name: "demo" });
const call: ToolPart = {
  type: "tool",
  toolCallId: "t",
  name: "calculator",
  args: { expression: "1 + 2" },
  status: "completed",
  result: 3,
};
const approval: Approval = {
  id: "p",
  conversationId: "c",
  runId: "r",
  messageId: "m",
  partIndex: 1,
  toolCallId: "t",
  tool: "calculator",
  args: { expression: "1 + 2" },
  reason: "call",
  summary: "It adds two numbers.",
  status: "pending",
  requestedAt: TIME,
  expiresAt: TIME,
  decidedAt: null,
  decidedBy: null,
};
const plan = [{ id: "1", title: "Count", status: "running" as const }];
const inPart = { messageId: "m", partIndex: 1 };
const ended = { threadId: "c", runId: "r", run: { ...run, finishedAt: TIME } };
const usage = [{ provider: "demo", model: "demo", inputTokens: 1, outputTokens: 2 }];

/** One of each kind that is emitted; `events.ts` decides what kinds there are. */
const samples: readonly ParleyEvent[] = [
  { type: "RUN_STARTED", threadId: "c", runId: "r", run, message },
  { type: "TEXT_MESSAGE_START", messageId: "m", role: "assistant", runId: "r", partIndex: 0 },
  { type: "TEXT_MESSAGE_CONTENT", messageId: "m", partIndex: 0, offset: 0, delta: "1 " },
  { type: "TEXT_MESSAGE_END", messageId: "m", partIndex: 0, length: 5, status: "complete" },
  { type: "REASONING_MESSAGE_START", messageId: "m", role: "reasoning", runId: "r", partIndex: 1 },
  { type: "REASONING_MESSAGE_CONTENT", ...inPart, offset: 0, delta: "Three numbers." },
  { type: "REASONING_MESSAGE_END", ...inPart, length: 14 },
  {
    type: "TOOL_CALL_START",
    toolCallId: "t",
    toolCallName: "calculator",
    parentMessageId: "m",
    runId: "r",
    ...inPart,
  },
  { type: "TOOL_CALL_ARGS", toolCallId: "t", ...inPart, offset: 0, delta: '{"expression":' },
  { type: "TOOL_CALL_END", toolCallId: "t", ...inPart, length: 22 },
  { type: "TOOL_CALL_RESULT", toolCallId: "t", role: "tool", content: "3", ...inPart, part: call },
  { type: "STEP_STARTED", stepName: "demo", runId: "r", step: { ...step, status: "running", finishedAt: null } },
  { type: "STEP_FINISHED", stepName: "demo", runId: "r", step },
  { type: "RUN_FINISHED", ...ended, outcome: { type: "success" }, usage },
  { type: "RUN_FINISHED", ...ended, outcome: { type: "cancelled" }, usage: [] },
  { type: "RUN_ERROR", ...ended, message: "The model failed.", code: "MODEL_FAILED" },
  { type: "CUSTOM", name: "message.created", value: { message } },
  { type: "CUSTOM", name: "message.updated", value: { message } },
  { type: "CUSTOM", name: "message.reset", value: { messageId: "m", partIndex: 0, length: 0, attempt: 2, runId: "r" } },
  { type: "CUSTOM", name: "tool.updated", value: { ...inPart, part: { ...call, status: "running" } } },
  { type: "CUSTOM", name: "tool.progress", value: { ...inPart, toolCallId: "t", message: "Adding", fraction: 0.5 } },
  { type: "CUSTOM", name: "approval.requested", value: { approval } },
  { type: "CUSTOM", name: "approval.decided", value: { approval: { ...approval, status: "approved" } } },
  { type: "CUSTOM", name: "plan.updated", value: { messageId: "m", runId: "r", plan } },
  { type: "CUSTOM", name: "branch.selected", value: { conversationId: "c", headMessageId: "m" } },
  { type: "CUSTOM", name: "run.notice", value: { runId: "r", kind: "retrying", message: "Busy.", retryAt: TIME } },
  { type: "CUSTOM", name: "run.updated", value: { run } },
  { type: "CUSTOM", name: "conversation.created", value: { conversation } },
  { type: "CUSTOM", name: "conversation.deleted", value: { conversationId: "c" } },
  { type: "CUSTOM", name: "conversation.restored", value: { conversation } },
  { type: "CUSTOM", name: "folder.updated", value: { folder: { id: "f", name: "Work", createdAt: TIME } } },
  { type: "CUSTOM", name: "folder.deleted", value: { folderId: "f" } },
  { type: "CUSTOM", name: "conversation.renamed", value: { conversation } },
  { type: "CUSTOM", name: "conversation.updated", value: { conversation } },
];

const kindOf = (event: { readonly type: string; readonly name?: string }) =>
  event.name === undefined ? event.type : `${event.type} ${event.name}`;

test("[W4] there is a sample of every kind of event", () => {
  const kinds = parleyEvent.options.map(({ shape }) =>
    kindOf({ type: shape.type.value, ...("name" in shape ? { name: shape.name.value } : {}) }),
  );
  assert.deepEqual([...new Set(samples.map(kindOf))].toSorted(), kinds.toSorted());
});

for (const event of samples) {
  const outcome = "outcome" in event ? ` ${event.outcome.type}` : "";
  test(`[W4] ${kindOf(event)}${outcome} is ours, and AG-UI's own schema accepts it`, () => {
    assert.deepEqual(parleyEvent.parse(event), event);
    const theirs = EventSchemas.safeParse(event);
    assert.ok(theirs.success, theirs.error?.message);
    assert.equal(theirs.data.type, event.type);
  });
}

const DELTAS = {
  text: "TEXT_MESSAGE_CONTENT",
  reasoning: "REASONING_MESSAGE_CONTENT",
  tool: "TOOL_CALL_ARGS",
} as const;

test("[W4] a delta that is encoded by hand is the same event, of each kind", () => {
  const id = fc.string({ minLength: 1, maxLength: 64 });
  const part: fc.Arbitrary<DeltaPart> = fc.oneof(
    fc.record({ type: fc.constantFrom("text" as const, "reasoning" as const) }),
    fc.record({ type: fc.constant("tool" as const), toolCallId: id }),
  );
  fc.assert(
    fc.property(part, id, fc.nat(), fc.nat(), fc.string({ unit: "binary" }), (...all) => {
      const [kind, messageId, partIndex, offset, delta] = all;
      const event: unknown = JSON.parse(encodeDelta(deltaHead(kind, messageId, partIndex), offset, delta));
      const call = kind.type === "tool" ? { toolCallId: kind.toolCallId } : {};
      assert.deepEqual(event, { type: DELTAS[kind.type], ...call, messageId, partIndex, offset, delta });
      assert.ok(EventSchemas.safeParse(event).success);
    }),
  );
});

test("[W4] AG-UI's schema does refuse what is no event of theirs", () => {
  assert.equal(EventSchemas.safeParse({ type: "RUN_PAUSED", threadId: "c", runId: "r" }).success, false);
  assert.equal(EventSchemas.safeParse({ type: "RUN_STARTED", runId: "r" }).success, false);
});
