import assert from "node:assert/strict";
import test from "node:test";
import { EventSchemas } from "@ag-ui/core/schemas";
import fc from "fast-check";
import { deltaHead, encodeTextDelta } from "../src/protocol/codec.ts";
import { parleyEvent, type ParleyEvent } from "../src/protocol/events.ts";
import type { Conversation, Message, Run } from "../src/protocol/shapes.ts";

const time = "2026-01-01T00:00:00.000Z";
const run: Run = {
  id: "r",
  conversationId: "c",
  status: "running",
  attempt: 1,
  model: "demo",
  userMessageId: "q",
  assistantMessageId: "m",
  position: 1,
  stopRequested: false,
  usage: { inputTokens: 1, outputTokens: 2 },
  error: null,
  createdAt: time,
  startedAt: time,
  finishedAt: null,
};
const message: Message = {
  id: "m",
  conversationId: "c",
  parentId: null,
  role: "assistant",
  author: "demo",
  parts: [{ type: "text", text: "1 2 3", length: 5 }],
  status: "complete",
  createdAt: time,
  runId: "r",
};
const conversation: Conversation = { id: "c", title: "Counting", model: null, createdAt: time, updatedAt: time };
const ended = { threadId: "c", runId: "r", run: { ...run, finishedAt: time } };
const usage = [{ provider: "demo", model: "demo", inputTokens: 1, outputTokens: 2 }];

/** One of each kind that is emitted; `events.ts` decides what kinds there are. */
const samples: readonly ParleyEvent[] = [
  { type: "RUN_STARTED", threadId: "c", runId: "r", run, message },
  { type: "TEXT_MESSAGE_START", messageId: "m", role: "assistant", runId: "r", partIndex: 0 },
  { type: "TEXT_MESSAGE_CONTENT", messageId: "m", partIndex: 0, offset: 0, delta: "1 " },
  { type: "TEXT_MESSAGE_END", messageId: "m", partIndex: 0, length: 5, status: "complete" },
  { type: "RUN_FINISHED", ...ended, outcome: { type: "success" }, usage },
  { type: "RUN_FINISHED", ...ended, outcome: { type: "cancelled" }, usage: [] },
  { type: "RUN_ERROR", ...ended, message: "The model failed.", code: "MODEL_FAILED" },
  { type: "CUSTOM", name: "message.created", value: { message } },
  { type: "CUSTOM", name: "message.updated", value: { message } },
  { type: "CUSTOM", name: "message.reset", value: { messageId: "m", partIndex: 0, length: 0, attempt: 2, runId: "r" } },
  { type: "CUSTOM", name: "run.updated", value: { run } },
  { type: "CUSTOM", name: "conversation.created", value: { conversation } },
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

test("[W4] a delta that is encoded by hand is the same event", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 64 }),
      fc.nat(),
      fc.nat(),
      fc.string({ unit: "binary" }),
      (...parts) => {
        const [messageId, partIndex, offset, delta] = parts;
        const event: unknown = JSON.parse(encodeTextDelta(deltaHead(messageId, partIndex), offset, delta));
        assert.deepEqual(event, { type: "TEXT_MESSAGE_CONTENT", messageId, partIndex, offset, delta });
        assert.ok(EventSchemas.safeParse(event).success);
      },
    ),
  );
});

test("[W4] AG-UI's schema does refuse what is no event of theirs", () => {
  assert.equal(EventSchemas.safeParse({ type: "RUN_PAUSED", threadId: "c", runId: "r" }).success, false);
  assert.equal(EventSchemas.safeParse({ type: "RUN_STARTED", runId: "r" }).success, false);
});
