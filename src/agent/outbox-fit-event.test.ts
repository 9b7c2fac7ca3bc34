import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_EVENT } from "../protocol/constants.ts";
import { type ParleyEvent, parleyEvent } from "../protocol/events.ts";
import type { Message, Run } from "../protocol/shapes.ts";
import { cutText, encodeFitted } from "./outbox-fit-event.ts";

const AT = "2026-01-01T00:00:00.000Z";
const message = (...texts: readonly string[]): Message => ({
  id: "m",
  conversationId: "c",
  parentId: null,
  role: "user",
  author: "u",
  parts: texts.map((text) => ({ type: "text", text })),
  status: "complete",
  createdAt: AT,
  runId: "r",
});
const run: Run = {
  id: "r",
  conversationId: "c",
  status: "failed",
  attempt: 1,
  model: "demo",
  userMessageId: "u",
  assistantMessageId: "m",
  position: 1,
  stopRequested: false,
  usage: { inputTokens: 0, outputTokens: 0 },
  error: null,
  createdAt: AT,
  startedAt: AT,
  finishedAt: AT,
};
const created = (...texts: readonly string[]): ParleyEvent => ({
  type: "CUSTOM",
  name: "message.created",
  value: { message: message(...texts) },
});
const partsOf = (event: ParleyEvent): Message["parts"] => {
  if (event.type === "RUN_STARTED") return event.message.parts;
  if (event.type === "CUSTOM" && (event.name === "message.created" || event.name === "message.updated")) {
    return event.value.message.parts;
  }
  return [];
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
