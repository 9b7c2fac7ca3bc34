import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { wordsOf } from "../../test/support/conversation-script.ts";
import { aMessage } from "../../test/support/shapes.fake.ts";
import { type Accumulator, headAtOpen, TEXT } from "../ports/event-log.ts";
import type { Message, MessageStatus, Part, ToolPart } from "../protocol/shapes.ts";
import { jsonBytes } from "./json-text.ts";
import { fitMessages, growsFrom, NOTHING_FOLLOWS, overlay } from "./snapshot.ts";
import { TextDeltas } from "./text-deltas.ts";

const message = (id: string, status: MessageStatus, ...texts: string[]): Message =>
  aMessage({ id, parts: texts.map((text) => ({ type: "text", text })), status });
const texts = (messages: readonly Message[]) => messages.map(({ parts }) => parts.map(wordsOf));

const grown = (messageId: string, partIndex: number, text: string): Accumulator => ({
  messageId,
  partIndex,
  part: TEXT,
  text,
});
const call: ToolPart = { type: "tool", toolCallId: "t1", name: "clock", args: {}, status: "pending" };

test("[L11] what grows now stands behind the parts of a streaming row, which are of finished steps", () => {
  const rows = [message("a", "streaming", "finished", "kept")];
  const accumulators: Accumulator[] = [
    { ...grown("a", 3, '{"at'), part: { type: "tool", toolCallId: "t1", name: "clock" } },
    { ...grown("a", 2, "hm"), part: { type: "reasoning" } },
    grown("a", 0, "finished, as the log has it"),
    grown("elsewhere", 0, "not here"),
  ];
  const [shown] = overlay(rows, accumulators);
  assert.deepEqual(shown?.parts, [
    { type: "text", text: "finished" },
    { type: "text", text: "kept" },
    { type: "reasoning", text: "hm" },
    { ...call, argsText: '{"at', status: "streaming" },
  ]);
});

test("[L11] a part that the log has lost leaves its place empty", () => {
  const [shown] = overlay([message("a", "streaming")], [grown("a", 1, "second")]);
  assert.deepEqual(shown?.parts, [
    { type: "text", text: "" },
    { type: "text", text: "second" },
  ]);
});

test("[L11] a finished row beats an accumulator", () => {
  for (const status of ["complete", "stopped", "failed"] as const) {
    const rows = [message("a", status, "all of it")];
    assert.deepEqual(overlay(rows, [grown("a", 0, "all"), grown("a", 1, "more")]), rows);
  }
});

/** All parts of the streaming messages grow. */
const allFollow = (messages: readonly Message[]) => growsFrom(messages.map((row) => ({ ...row, parts: [] })));

test("[L7] what fits is left as it is", () => {
  const rows = [message("a", "complete", "hello"), message("b", "streaming", "wor")];
  assert.deepEqual(fitMessages(rows, 10_000, allFollow(rows)), { messages: rows, leftOut: false, rest: [] });
  assert.deepEqual(fitMessages([], 10_000, NOTHING_FOLLOWS), { messages: [], leftOut: false, rest: [] });
});

test("[L7] the newest messages are kept, a long one is cut and says its length", () => {
  const rows = [
    message("a", "complete", "x".repeat(50_000)),
    message("b", "complete", "y".repeat(90_000)),
    message("c", "complete", "z"),
  ];
  const { messages, leftOut, rest } = fitMessages(rows, 68_000, allFollow(rows));
  assert.equal(leftOut, true);
  assert.deepEqual(rest, []);
  assert.deepEqual(
    messages.map(({ id }) => id),
    ["b", "c"],
  );
  const part = messages[0]?.parts[0];
  assert.ok(part?.type === "text");
  assert.equal(part.length, 90_000);
  assert.ok(part.text.length > 60_000 && part.text.length < 66_000, `${part.text.length}`);
});

test("[L7] a streaming message is kept though long ones were queued after it", () => {
  const rows = [
    message("old", "complete", "o".repeat(30_000)),
    message("answer", "streaming", "a".repeat(500_000)),
    ...Array.from({ length: 10 }, (_, i) => message(`queued ${i}`, "complete", "q".repeat(100_000))),
  ];
  const { messages, rest, leftOut } = fitMessages(rows, 120_000, allFollow(rows));
  assert.deepEqual(
    messages.map(({ id }) => id),
    rows.slice(1).map(({ id }) => id),
  );
  assert.ok(jsonBytes(messages) <= 120_000, `${jsonBytes(messages)}`);
  assert.equal(leftOut, true);
  const part = messages[0]?.parts[0];
  assert.ok(part?.type === "text" && part.length === undefined);
  assert.deepEqual(rest, [{ ...grown("answer", 0, "a".repeat(500_000)), offset: part.text.length }]);
});

/** Parts of any kind, of any length; a call streams. */
const longPart: fc.Arbitrary<Part> = fc
  .tuple(fc.constantFrom("a", "\u0001", "\n", "€", "😀"), fc.nat(120_000), fc.constantFrom("text", "reasoning", "tool"))
  .map(([char, units, type]) => {
    const text = char.repeat(Math.floor(units / char.length));
    return type === "tool" ? { ...call, argsText: text, status: "streaming" } : { type, text };
  });

test("[L7] snapshot and following deltas together are the whole parts, within their limits", () => {
  fc.assert(
    fc.property(
      fc.array(longPart, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 8_000, max: 120_000 }),
      (parts, budget) => {
        const rows = [{ ...message("m", "streaming"), parts }];
        const fitted = fitMessages(rows, budget, allFollow(rows));
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
            assert.equal(event.type, EVENTS[parts[event.partIndex]?.type ?? "file"]);
            shown[event.partIndex] += event.delta;
          }
          assert.equal(last, seq);
        }
        assert.equal(deltas.head, 1_000);
        assert.deepEqual(shown, parts.map(wordsOf));
      },
    ),
    { numRuns: 100 },
  );
});

const EVENTS: Readonly<Record<Part["type"], string>> = {
  text: "TEXT_MESSAGE_CONTENT",
  reasoning: "REASONING_MESSAGE_CONTENT",
  tool: "TOOL_CALL_ARGS",
  file: "",
};

test("[L7] finished parts of a streaming message are cut; only what grows is followed by deltas", () => {
  const done: ToolPart = { ...call, status: "completed", args: { long: "y".repeat(50_000) }, result: "r" };
  const rows = [{ ...message("m", "streaming"), parts: [{ type: "text" as const, text: "x".repeat(70_000) }, done] }];
  const shown = overlay(rows, [grown("m", 2, "z".repeat(70_000))]);
  const { messages, rest } = fitMessages(shown, 64_000, growsFrom(rows));
  const [text, tool, growing] = messages[0]?.parts ?? [];
  assert.ok(growing?.type === "text" && growing.length === undefined && growing.text.length > 60_000);
  // What grows has the room.
  assert.deepEqual(text, { type: "text", text: "", length: 70_000 });
  assert.deepEqual(tool, { ...call, status: "completed", length: JSON.stringify(done).length });
  assert.deepEqual(
    rest.map(({ partIndex, offset }) => [partIndex, offset]),
    [[2, growing.text.length]],
  );
});

test("[L7] of what grows, the shortest has room first: calls side by side need few deltas", () => {
  const rows = [message("m", "streaming")];
  const accumulators = Array.from({ length: 20 }, (_, i): Accumulator => ({
    ...grown("m", i, `${i}`.padEnd(i === 3 ? 90_000 : 3_000, "x")),
    part: { type: "tool", toolCallId: `t${i}`, name: "clock" },
  }));
  const { rest } = fitMessages(overlay(rows, accumulators), 120_000, growsFrom(rows));
  assert.deepEqual(
    rest.map(({ partIndex }) => partIndex),
    [3],
  );
});

test("[L7] what an owner brings to a fresh epoch can always be sent: it takes as many seqs as that needs", () => {
  const brought = fc.array(longPart, { minLength: 1, maxLength: 12 }).chain((parts) =>
    fc.record({
      parts: fc.constant(parts),
      /** Finished calls before them, which take room though they are bare. */
      finished: fc.nat(120),
    }),
  );
  fc.assert(
    fc.property(brought, ({ parts, finished }) => {
      const done: ToolPart = { ...call, status: "completed", args: { a: "y".repeat(1_000) }, length: 1_000 };
      const rows = [{ ...message("m", "streaming"), parts: Array.from({ length: finished }, (): Part => done) }];
      const accumulators = parts.map((part, i): Accumulator => ({
        messageId: "m",
        partIndex: finished + i,
        part: part.type === "tool" ? { type: "tool", toolCallId: "t1", name: "clock" } : { type: part.type as "text" },
        text: wordsOf(part),
      }));
      const { rest } = fitMessages(overlay(rows, accumulators), 120_000, growsFrom(rows));
      assert.ok(TextDeltas.of(rest, headAtOpen(accumulators), "t"));
    }),
    { numRuns: 60 },
  );
});

test("[W11] where no deltas follow, a call that streams goes without its arguments", () => {
  const rows = [
    { ...message("m", "streaming"), parts: [{ ...call, argsText: "x".repeat(70_000), status: "streaming" as const }] },
  ];
  const { messages, rest } = fitMessages(rows, 20_000, NOTHING_FOLLOWS);
  assert.deepEqual(rest, []);
  assert.deepEqual(messages[0]?.parts, [
    { ...call, status: "streaming", length: JSON.stringify(rows[0]?.parts[0]).length },
  ]);
});

test("[L7] a young epoch gets larger deltas, or none at all yet", () => {
  const rest = [{ ...grown("m", 0, "a".repeat(180_000)), offset: 0 }];
  assert.equal(TextDeltas.of(rest, 4, "t")?.before, 0);
  assert.equal(TextDeltas.of(rest, 3, "t")?.before, 0);
  assert.equal(TextDeltas.of(rest, 2, "t"), undefined);
});
