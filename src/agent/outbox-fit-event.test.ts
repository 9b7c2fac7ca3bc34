import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { wordsOf } from "../../test/support/conversation-script.ts";
import { aMessage, aRun, TIME } from "../../test/support/shapes.fake.ts";
import { MAX_EVENT } from "../protocol/constants.ts";
import { cutText } from "../protocol/cut-part.ts";
import { type ParleyEvent, parleyEvent } from "../protocol/events.ts";
import type { Approval, Message, ToolPart } from "../protocol/shapes.ts";
import { encodeFitted } from "./outbox-fit-event.ts";

const message = (...texts: readonly string[]): Message =>
  aMessage({ role: "user", parts: texts.map((text) => ({ type: "text", text })) });
const run = aRun({ status: "failed", finishedAt: TIME });
const created = (...texts: readonly string[]): ParleyEvent => ({
  type: "CUSTOM",
  name: "message.created",
  value: { message: message(...texts) },
});
const partsOf = (event: ParleyEvent): { readonly text: string; readonly length: number | undefined }[] => {
  const told = event.type === "CUSTOM" && (event.name === "message.created" || event.name === "message.updated");
  const parts = event.type === "RUN_STARTED" ? event.message.parts : told ? event.value.message.parts : [];
  return parts.map((part) => ({ text: wordsOf(part), length: "length" in part ? part.length : undefined }));
};

test("[W11] an event that fits is left as it is", () => {
  const event = created("short", "and sweet");
  assert.equal(encodeFitted(event), JSON.stringify(event));
});

test("[W11] the largest event that fits is not cut, the next is", () => {
  const overhead = Buffer.byteLength(JSON.stringify(created("")));
  const fits = created("x".repeat(MAX_EVENT - overhead));
  assert.equal(Buffer.byteLength(encodeFitted(fits)), MAX_EVENT);
  assert.equal(encodeFitted(fits), JSON.stringify(fits));
  const text = "x".repeat(MAX_EVENT - overhead + 1);
  const [part] = partsOf(JSON.parse(encodeFitted(created(text))) as ParleyEvent);
  assert.equal(part?.length, text.length);
  assert.ok((part?.text.length ?? 0) > text.length - 100);
});

const wraps: Readonly<Record<string, (...texts: string[]) => ParleyEvent>> = {
  "message.created": created,
  "message.updated": (...texts) => ({
    type: "CUSTOM",
    name: "message.updated",
    value: { message: message(...texts) },
  }),
  RUN_STARTED: (...texts) => ({ type: "RUN_STARTED", threadId: "c", runId: "r", run, message: message(...texts) }),
};
for (const [type, wrap] of Object.entries(wraps)) {
  test(`[W11] a message in ${type} keeps its beginning, whole characters and its full length`, () => {
    const piece = fc.constantFrom("plain text ", "ä€", "😀", '"\\', "\u0001", "\n");
    const long = fc.tuple(piece, fc.nat(40_000)).map(([text, times]) => text.repeat(times));
    fc.assert(
      fc.property(fc.array(long, { minLength: 1, maxLength: 3 }), (texts) => {
        const json = encodeFitted(wrap(...texts));
        assert.ok(Buffer.byteLength(json) <= MAX_EVENT);
        const event = parleyEvent.parse(JSON.parse(json));
        for (const [index, part] of partsOf(event).entries()) {
          const text = texts[index] ?? "";
          assert.ok(text.startsWith(part.text), "its beginning");
          assert.ok(part.text.isWellFormed(), "whole characters");
          assert.equal(part.length ?? part.text.length, text.length);
          assert.equal(part.length === undefined, part.text.length === text.length);
        }
      }),
      { numRuns: 60 },
    );
  });
}

test("[W11] a part that was cut before keeps the length it had then", () => {
  const cut: Message = { ...message(), parts: [{ type: "text", text: "x".repeat(70_000), length: 90_000 }] };
  const json = encodeFitted({ type: "CUSTOM", name: "message.created", value: { message: cut } });
  assert.equal(partsOf(JSON.parse(json) as ParleyEvent)[0]?.length, 90_000);
});

test("[W11] a failed run's sentence is cut", () => {
  const sentence = "it failed ".repeat(10_000);
  const failed = { ...run, error: { code: "MODEL_FAILED", message: sentence } };
  const event = { type: "RUN_ERROR", threadId: "c", runId: "r", message: sentence, code: "X", run: failed } as const;
  const json = encodeFitted(event);
  assert.ok(Buffer.byteLength(json) <= MAX_EVENT);
  parleyEvent.parse(JSON.parse(json));
});

const call: ToolPart = { type: "tool", toolCallId: "t1", name: "clock", args: {}, status: "completed" };
const huge = "é".repeat(60_000);

test("[W11] a tool call that is too large goes without arguments and result, and says its length", () => {
  const whole: ToolPart = { ...call, args: { a: huge }, result: huge, error: huge };
  const events: readonly ParleyEvent[] = [
    { type: "CUSTOM", name: "tool.updated", value: { messageId: "m", partIndex: 0, part: whole } },
    {
      type: "TOOL_CALL_RESULT",
      messageId: "m",
      toolCallId: "t1",
      role: "tool",
      content: huge,
      partIndex: 0,
      part: whole,
    },
    { type: "CUSTOM", name: "message.updated", value: { message: { ...message("a"), parts: [whole] } } },
  ];
  for (const event of events) {
    const json = encodeFitted(event);
    assert.ok(Buffer.byteLength(json) <= MAX_EVENT, event.type);
    const told = parleyEvent.parse(JSON.parse(json));
    const part =
      told.type === "TOOL_CALL_RESULT"
        ? told.part
        : told.type === "CUSTOM" && told.name === "tool.updated"
          ? told.value.part
          : told.type === "CUSTOM" && told.name === "message.updated"
            ? told.value.message.parts[0]
            : undefined;
    assert.deepEqual(part, { ...call, error: huge.slice(0, 200), length: JSON.stringify(whole).length });
    if (told.type === "TOOL_CALL_RESULT") assert.ok(huge.startsWith(told.content) && told.content.length > 30_000);
  }
});

test("[W11] in a message, parts that fit stay whole behind one that does not", () => {
  const event: ParleyEvent = {
    type: "CUSTOM",
    name: "message.created",
    value: {
      message: { ...message("short"), parts: [{ ...call, args: { a: huge } }, { type: "text", text: "after" }, call] },
    },
  };
  const [first, second, third] = partsOf(JSON.parse(encodeFitted(event)) as ParleyEvent);
  assert.ok((first?.length ?? 0) > 60_000);
  assert.deepEqual([second, third?.length], [{ text: "after", length: undefined }, undefined]);
});

test("[W11] an approval that is too large goes without its arguments: its part has them", () => {
  const approval: Approval = {
    id: "p",
    conversationId: "c",
    runId: "r",
    messageId: "m",
    partIndex: 0,
    toolCallId: "t1",
    tool: "clock",
    args: { a: huge },
    reason: "call",
    summary: huge,
    status: "pending",
    requestedAt: TIME,
    expiresAt: TIME,
    decidedAt: null,
    decidedBy: null,
  };
  const json = encodeFitted({ type: "CUSTOM", name: "approval.requested", value: { approval } });
  assert.ok(Buffer.byteLength(json) <= MAX_EVENT);
  assert.deepEqual((JSON.parse(json) as { value: { approval: Approval } }).value.approval, {
    ...approval,
    args: {},
    summary: huge.slice(0, 2_000),
  });
});

test("[W11] sentences that are too long are cut", () => {
  const events: readonly ParleyEvent[] = [
    { type: "CUSTOM", name: "run.notice", value: { runId: "r", kind: "retrying", message: huge } },
    { type: "CUSTOM", name: "tool.progress", value: { messageId: "m", partIndex: 0, toolCallId: "t", message: huge } },
    { type: "CUSTOM", name: "run.updated", value: { run: { ...run, error: { code: "X", message: huge } } } },
    {
      type: "CUSTOM",
      name: "message.updated",
      value: { message: { ...message("a"), error: { code: "X", message: huge } } },
    },
  ];
  for (const event of events) {
    const json = encodeFitted(event);
    assert.ok(Buffer.byteLength(json) < 10_000);
    parleyEvent.parse(JSON.parse(json));
  }
});

test("[W11] an event in which nothing can be cut is a bug", () => {
  assert.throws(() =>
    encodeFitted({ type: "TEXT_MESSAGE_CONTENT", messageId: "m", partIndex: 0, offset: 0, delta: "x".repeat(70_000) }),
  );
});

test("a text is never cut inside a surrogate pair", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((length) => cutText("a😀b", length)),
    ["", "a", "a", "a😀", "a😀b", "a😀b"],
  );
});
