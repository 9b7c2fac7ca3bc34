import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Message, MessageStatus } from "../protocol/shapes.ts";
import { jsonBytes } from "./json-text.ts";
import { fitMessages, overlay } from "./snapshot.ts";
import { TextDeltas } from "./text-deltas.ts";

function message(id: string, status: MessageStatus, ...texts: string[]): Message {
  return {
    id,
    conversationId: "c",
    parentId: null,
    role: "assistant",
    author: "demo",
    parts: texts.map((text) => ({ type: "text", text })),
    status,
    createdAt: "2026-01-01T00:00:00.000Z",
    runId: null,
  };
}
const texts = (messages: readonly Message[]) => messages.map(({ parts }) => parts.map(({ text }) => text));

test("[L11] accumulated parts replace those of a streaming row by index", () => {
  const rows = [message("a", "streaming", "old", "kept")];
  const accumulators = [
    { messageId: "a", partIndex: 2, text: "new" },
    { messageId: "a", partIndex: 0, text: "old and more" },
    { messageId: "elsewhere", partIndex: 0, text: "not here" },
  ];
  assert.deepEqual(texts(overlay(rows, accumulators)), [["old and more", "kept", "new"]]);
});

test("[L11] a finished row beats an accumulator", () => {
  for (const status of ["complete", "stopped", "failed"] as const) {
    const rows = [message("a", status, "all of it")];
    assert.deepEqual(overlay(rows, [{ messageId: "a", partIndex: 0, text: "all" }]), rows);
  }
});

test("[L7] what fits is left as it is", () => {
  const rows = [message("a", "complete", "hello"), message("b", "streaming", "wor")];
  assert.deepEqual(fitMessages(rows, 10_000, true), { messages: rows, leftOut: false, rest: [] });
  assert.deepEqual(fitMessages([], 10_000, true), { messages: [], leftOut: false, rest: [] });
});

test("[L7] the newest messages are kept, a long one is cut and says its length", () => {
  const rows = [
    message("a", "complete", "x".repeat(50_000)),
    message("b", "complete", "y".repeat(90_000)),
    message("c", "complete", "z"),
  ];
  const { messages, leftOut, rest } = fitMessages(rows, 68_000, true);
  assert.equal(leftOut, true);
  assert.deepEqual(rest, []);
  assert.deepEqual(
    messages.map(({ id }) => id),
    ["b", "c"],
  );
  const part = messages[0]?.parts[0];
  assert.equal(part?.length, 90_000);
  assert.ok(part.text.length > 60_000 && part.text.length < 66_000, `${part.text.length}`);
});

test("[L7] a streaming message is kept though long ones were queued after it", () => {
  const rows = [
    message("old", "complete", "o".repeat(30_000)),
    message("answer", "streaming", "a".repeat(500_000)),
    ...Array.from({ length: 10 }, (_, i) => message(`queued ${i}`, "complete", "q".repeat(100_000))),
  ];
  const { messages, rest, leftOut } = fitMessages(rows, 120_000, true);
  assert.deepEqual(
    messages.map(({ id }) => id),
    rows.slice(1).map(({ id }) => id),
  );
  assert.ok(jsonBytes(messages) <= 120_000);
  assert.equal(leftOut, true);
  const part = messages[0]?.parts[0];
  assert.equal(part?.length, undefined);
  assert.deepEqual(rest, [{ messageId: "answer", partIndex: 0, offset: part?.text.length, text: "a".repeat(500_000) }]);
});

test("[L7] snapshot and following deltas together are the whole text, within their limits", () => {
  const unit = fc.constantFrom("a", "\u0001", "\n", "€", "😀");
  const text = fc
    .tuple(unit, fc.integer({ min: 0, max: 120_000 }))
    .map(([char, units]) => char.repeat(Math.floor(units / char.length)));
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 8_000, max: 120_000 }),
      (parts, budget) => {
        const fitted = fitMessages([message("m", "streaming", ...parts)], budget, true);
        assert.ok(jsonBytes(fitted.messages) <= budget);
        const shown = texts(fitted.messages)[0] ?? [];
        const deltas = TextDeltas.of(fitted.rest, 1_000, "2026-01-01T00:00:00.000Z");
        assert.ok(deltas);
        for (let seq = deltas.before; seq < deltas.head;) {
          const { items, last } = deltas.items(seq);
          for (const item of items) {
            const { seq: itemSeq, event } = JSON.parse(`{"seq":${item}}`);
            assert.equal(itemSeq, ++seq);
            assert.ok(jsonBytes(event) <= 49 * 1024);
            assert.ok(event.delta.isWellFormed());
            assert.equal(event.offset, shown[event.partIndex]?.length);
            shown[event.partIndex] += event.delta;
          }
          assert.equal(last, seq);
        }
        assert.equal(deltas.head, 1_000);
        assert.deepEqual(shown, parts);
      },
    ),
    { numRuns: 100 },
  );
});

test("[L7] a young epoch gets larger deltas, or none at all yet", () => {
  const rest = [{ messageId: "m", partIndex: 0, offset: 0, text: "a".repeat(180_000) }];
  assert.equal(TextDeltas.of(rest, 4, "t")?.before, 0);
  assert.equal(TextDeltas.of(rest, 3, "t")?.before, 0);
  assert.equal(TextDeltas.of(rest, 2, "t"), undefined);
});
