/** Parts of several kinds in one answer, as a run's writer hands them to the log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { opened } from "../../test/support/event-log-appends.ts";
import { setUpWriter, type WriterWorld } from "../../test/support/run-writer-world.ts";
import type { Accumulator, PartKind } from "../ports/event-log.ts";
import type { DeltaEvent, ParleyEvent } from "../protocol/events.ts";

const place = { messageId: "m", runId: "r" };
const textStart = (partIndex: number, messageId = "m"): ParleyEvent => ({
  type: "TEXT_MESSAGE_START",
  role: "assistant",
  ...place,
  messageId,
  partIndex,
});
const reasoningStart = (partIndex: number): ParleyEvent => ({
  type: "REASONING_MESSAGE_START",
  role: "reasoning",
  ...place,
  partIndex,
});
const toolStart = (partIndex: number, toolCallId: string): ParleyEvent => ({
  type: "TOOL_CALL_START",
  toolCallId,
  toolCallName: "clock",
  parentMessageId: "m",
  ...place,
  partIndex,
});
const tool = (toolCallId: string): PartKind => ({ type: "tool", toolCallId, name: "clock" });
const accumulated = (partIndex: number, part: PartKind, text: string): Accumulator => ({
  messageId: "m",
  partIndex,
  part,
  text,
});

const isDelta = (event: ParleyEvent): event is DeltaEvent => "delta" in event;
const deltasOf = async ({ events }: WriterWorld) =>
  (await events()).filter(isDelta).map(({ type, partIndex, offset, delta }) => [type, partIndex, offset, delta]);

test("[W5] a delta is the event of its part's kind, with its key", async (t) => {
  const world = await setUpWriter(t);
  const { writer, state, calls } = world;
  for (const event of [reasoningStart(0), textStart(1), toolStart(2, 'c"1')]) writer.event(event);
  writer.text("m", 0, "hm");
  writer.text("m", 1, "so");
  writer.text("m", 2, '{"a":1}');
  await writer.flush();
  assert.deepEqual(await deltasOf(world), [
    ["REASONING_MESSAGE_CONTENT", 0, 0, "hm"],
    ["TEXT_MESSAGE_CONTENT", 1, 0, "so"],
    ["TOOL_CALL_ARGS", 2, 0, '{"a":1}'],
  ]);
  assert.deepEqual((await world.events()).at(-1), {
    type: "TOOL_CALL_ARGS",
    toolCallId: 'c"1',
    messageId: "m",
    partIndex: 2,
    offset: 0,
    delta: '{"a":1}',
  });
  assert.deepEqual(
    calls.flat().flatMap(({ delta }) => (delta === undefined ? [] : [[delta.part, delta.toolCallId]])),
    [
      ["reasoning", undefined],
      ["text", undefined],
      ["tool", 'c"1'],
    ],
  );
  assert.deepEqual((await state()).accumulators, [
    accumulated(0, { type: "reasoning" }, "hm"),
    accumulated(1, { type: "text" }, "so"),
    accumulated(2, tool('c"1'), '{"a":1}'),
  ]);
});

test("[L5] calls whose arguments alternate merge each on its own, until another event", async (t) => {
  const world = await setUpWriter(t);
  const { writer } = world;
  writer.event(toolStart(0, "a"));
  writer.event(toolStart(1, "b"));
  for (const delta of ["{", '"x"', ":1}"]) for (const partIndex of [0, 1]) writer.text("m", partIndex, delta);
  writer.event({ type: "TOOL_CALL_END", toolCallId: "a", messageId: "m", partIndex: 0, length: 7 });
  for (const delta of [" ", "\n"]) writer.text("m", 1, delta);
  await writer.flush();
  assert.deepEqual(await deltasOf(world), [
    ["TOOL_CALL_ARGS", 0, 0, '{"x":1}'],
    ["TOOL_CALL_ARGS", 1, 0, '{"x":1}'],
    ["TOOL_CALL_ARGS", 1, 7, " \n"],
  ]);
});

test("[L5] fast calls side by side wait together; a first delta and 1 KiB wait for nothing", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const world = await setUpWriter(t);
  const { writer, clock } = world;
  const say = async (partIndex: number, delta: string): Promise<number> => {
    clock.now += 2;
    writer.text("m", partIndex, delta);
    await nextTurn();
    await nextTurn();
    return (await deltasOf(world)).length;
  };
  writer.event(toolStart(0, "a"));
  writer.event(toolStart(1, "b"));
  for (let i = 0; i < 60; i++) await say(i % 2, "x");
  const sent = (await deltasOf(world)).length;
  assert.ok(sent < 40, `${sent} of 60`);
  const waiting = await say(0, "y");
  assert.equal(await say(1, "y"), waiting);
  assert.equal(await say(2, "first"), waiting + 3, "what waits goes with it");
  assert.equal(await say(0, "z"), waiting + 3);
  assert.equal(await say(1, "z".repeat(1024)), waiting + 5);
});

test("[W5] each part keeps its own half of a surrogate pair", async (t) => {
  const world = await setUpWriter(t);
  const { writer } = world;
  writer.event(toolStart(0, "a"));
  writer.text("m", 0, "1\ud83d");
  writer.event(toolStart(1, "b"));
  writer.text("m", 1, "2\ud83d");
  writer.text("m", 0, "\ude00!");
  writer.text("m", 1, "\ude01!");
  await writer.flush();
  assert.deepEqual([writer.textOf("m", 0), writer.textOf("m", 1)], ["1😀!", "2😁!"]);
  assert.ok((await deltasOf(world)).every(([, , , delta]) => String(delta).isWellFormed()));
});

test("[W5] the end of a part replaces half a pair, and says the length that it has then", async (t) => {
  const { writer, events, state } = await setUpWriter(t);
  writer.event(reasoningStart(0));
  writer.text("m", 0, "a\ud83d");
  writer.event({ type: "REASONING_MESSAGE_END", messageId: "m", partIndex: 0, length: writer.textOf("m", 0).length });
  await writer.flush();
  const end = (await events()).at(-1);
  assert.deepEqual(end, { type: "REASONING_MESSAGE_END", messageId: "m", partIndex: 0, length: 2 });
  assert.equal((await state()).accumulators[0]?.text, "a\ufffd");
});

test("[R5] after a reset to nothing a part begins again as another kind", async (t) => {
  const world = await setUpWriter(t);
  const { writer, state } = world;
  writer.event(reasoningStart(0));
  writer.text("m", 0, "first attempt");
  writer.event(toolStart(1, "a"));
  writer.text("m", 1, "{");
  const value = { messageId: "m", partIndex: 0, length: 0, attempt: 2, runId: "r" };
  writer.event({ type: "CUSTOM", name: "message.reset", value });
  assert.equal(writer.textOf("m", 0), "");
  writer.event(toolStart(0, "b"));
  writer.text("m", 0, "{}");
  await writer.flush();
  assert.deepEqual((await deltasOf(world)).at(-1), ["TOOL_CALL_ARGS", 0, 0, "{}"]);
  assert.deepEqual((await state()).accumulators, [accumulated(0, tool("b"), "{}")]);
});

test("[R8] a topic that was lost is opened again with every part, of its kind", async (t) => {
  const world = await setUpWriter(t);
  const { writer, log, topic, state } = world;
  writer.event(reasoningStart(0));
  writer.text("m", 0, "hm");
  await writer.flush();
  await opened(log, topic, 3);
  writer.event(toolStart(1, "a"));
  writer.text("m", 1, "{");
  assert.deepEqual(await writer.flush(), { ok: true });
  writer.text("m", 1, "}");
  await writer.flush();
  assert.deepEqual((await state()).accumulators, [
    accumulated(0, { type: "reasoning" }, "hm"),
    accumulated(1, tool("a"), "{}"),
  ]);
  assert.deepEqual(await deltasOf(world), [["TOOL_CALL_ARGS", 1, 1, "}"]]);
});

test("[R2] a lost topic is opened without the answer before, which the store has", async (t) => {
  const { writer, log, topic, state } = await setUpWriter(t);
  writer.event(textStart(0));
  writer.text("m", 0, "the first answer");
  writer.event(textStart(0, "m2"));
  writer.text("m2", 0, "the second");
  await writer.flush();
  await opened(log, topic, 3);
  writer.text("m2", 0, "!");
  await writer.flush();
  assert.deepEqual((await state()).accumulators, [
    { ...accumulated(0, { type: "text" }, "the second!"), messageId: "m2" },
  ]);
});
