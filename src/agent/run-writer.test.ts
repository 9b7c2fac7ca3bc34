import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { opened, readFrom, stateOf, textOf } from "../../test/support/event-log-appends.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { FENCE, setUpWriter as setup, type WriterWorld as Setup } from "../../test/support/run-writer-world.ts";
import { until } from "../../test/support/until.ts";
import { MemoryEventLog } from "../adapters/event-log.memory.ts";
import { MAX_EVENT } from "../protocol/constants.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { ParleyEvent, TextMessageContent } from "../protocol/events.ts";
import { LogBatcher } from "./log-batcher.ts";
import { RunWriter, type Written } from "./run-writer.ts";

const start = (messageId = "m", partIndex = 0): ParleyEvent => ({
  type: "TEXT_MESSAGE_START",
  messageId,
  role: "assistant",
  runId: "r",
  partIndex,
});
const end = (length: number, messageId = "m", partIndex = 0): ParleyEvent => ({
  type: "TEXT_MESSAGE_END",
  messageId,
  partIndex,
  length,
  status: "complete",
});
const reset = (length: number): ParleyEvent => ({
  type: "CUSTOM",
  name: "message.reset",
  value: { messageId: "m", partIndex: 0, length, attempt: 2, runId: "r" },
});

const deltasOf = (events: readonly ParleyEvent[]): TextMessageContent[] =>
  events.filter((event) => event.type === "TEXT_MESSAGE_CONTENT");
const textIn = (events: readonly ParleyEvent[]): string =>
  deltasOf(events)
    .map((event) => event.delta)
    .join("");

/** Deltas, one for each turn, `ms` apart. */
async function stream({ writer, clock }: Setup, count: number, ms: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    clock.now += ms;
    writer.text("m", 0, "word ");
    await nextTurn();
    await nextTurn();
  }
}

test("[L3] a run's events are numbered from 1, fenced, in order, and its text accumulates", async (t) => {
  const { writer, topic, calls, state, events } = await setup(t);
  writer.event(start());
  writer.text("m", 0, "Hello");
  await nextTurn();
  writer.text("m", 0, ", world");
  writer.event(end(12));
  assert.deepEqual(await writer.flush(), { ok: true });
  const { epoch, accumulators } = await state();
  const appends = calls.flat();
  const writers = new Set(appends.map(({ identity }) => ("writer" in identity ? identity.writer : "")));
  assert.equal(writers.size, 1);
  for (const [index, append] of appends.entries()) {
    assert.deepEqual([append.topic, append.epoch], [topic, epoch]);
    assert.deepEqual(append.identity, { writer: [...writers][0], n: index + 1, fence: FENCE });
  }
  assert.deepEqual(
    (await events()).map((event) => [event.type, "offset" in event ? event.offset : undefined]),
    [
      ["TEXT_MESSAGE_START", undefined],
      ["TEXT_MESSAGE_CONTENT", 0],
      ["TEXT_MESSAGE_CONTENT", 5],
      ["TEXT_MESSAGE_END", undefined],
    ],
  );
  assert.deepEqual(accumulators, [{ messageId: "m", partIndex: 0, part: { type: "text" }, text: "Hello, world" }]);
  assert.equal(writer.textOf("m", 0), "Hello, world");
});

test("[W5] a delta is encoded once and carries its key for merging", async (t) => {
  const { writer, topic, log, state } = await setup(t);
  writer.text('m"1', 2, "ä\n");
  await writer.flush();
  const [entry] = await readFrom(log, topic, { epoch: (await state()).epoch, seq: 0 });
  assert.deepEqual(JSON.parse(entry?.event ?? ""), {
    type: "TEXT_MESSAGE_CONTENT",
    messageId: 'm"1',
    partIndex: 2,
    offset: 0,
    delta: "ä\n",
  });
  assert.deepEqual(entry?.delta, { part: "text", messageId: 'm"1', partIndex: 2, offset: 0, text: "ä\n" });
});

test("[L5] below 100 deltas/s each delta goes out in its turn", async (t) => {
  const all = await setup(t);
  await stream(all, 50, 20);
  assert.equal(deltasOf(await all.events()).length, 50);
});

test("[L5] above 100 deltas/s deltas merge, the first of a part does not wait, and other events flush", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const all = await setup(t);
  const { writer, events, clock } = all;
  await stream(all, 200, 2);
  const before = deltasOf(await events()).length;
  assert.ok(before < 100, `${before} of 200`);
  clock.now += 2;
  writer.text("m", 1, "another part");
  await nextTurn();
  await nextTurn();
  const deltas = deltasOf(await events());
  assert.deepEqual(deltas.at(-1), {
    type: "TEXT_MESSAGE_CONTENT",
    messageId: "m",
    partIndex: 1,
    offset: 0,
    delta: "another part",
  });
  assert.equal(deltas.at(-2)?.partIndex, 0);
  assert.equal(textIn(deltas.slice(0, -1)), "word ".repeat(200), "what waited goes first");
  clock.now += 2;
  writer.text("m", 1, "!");
  writer.event(end(13, "m", 1));
  await nextTurn();
  await nextTurn();
  assert.equal((await events()).at(-1)?.type, "TEXT_MESSAGE_END");
});

test("[L5] what waits goes out within 25 ms or at 1 KiB", async (t) => {
  const all = await setup(t);
  const { writer, events, clock } = all;
  await stream(all, 100, 2);
  await until(
    () => all.calls.flat().reduce((sum, append) => sum + (append.delta?.text.length ?? 0), 0) === 500,
    "the timer",
  );
  assert.equal(textIn(await events()), "word ".repeat(100));
  const sent = deltasOf(await events()).length;
  clock.now += 2;
  writer.text("m", 0, "x".repeat(1024));
  await nextTurn();
  await nextTurn();
  assert.equal(deltasOf(await events()).length, sent + 1);
});

test("[L5] a flush does not wait for more deltas", async (t) => {
  const all = await setup(t);
  await stream(all, 100, 2);
  all.writer.text("m", 0, "last");
  let flushed = false;
  all.writer.flush().then(() => (flushed = true), assert.ifError);
  for (let turns = 0; turns < 3; turns++) await nextTurn();
  assert.ok(flushed);
});

test("[L5] while the log is slow, deltas merge into one", async (t) => {
  const all = await setup(t);
  const { writer, gate, calls } = all;
  const answer = Promise.withResolvers<void>();
  gate.append = () => answer.promise;
  await stream(all, 1, 20);
  await stream(all, 30, 20);
  assert.equal(calls.length, 1);
  gate.append = async () => {};
  answer.resolve();
  await writer.flush();
  assert.deepEqual(
    calls.map((call) => call.map((append) => append.delta?.text.length)),
    [[5], [150]],
  );
});

test("[W11] larger deltas are split, never inside a surrogate pair, and each event fits", async (t) => {
  const { writer, events, calls } = await setup(t);
  const texts = ["a" + "😀".repeat(30_000), "\u0001".repeat(40_000), "ä€".repeat(20_000)];
  for (const [index, text] of texts.entries()) writer.text("m", index, text);
  await writer.flush();
  for (const append of calls.flat()) assert.ok(Buffer.byteLength(append.event) <= MAX_EVENT);
  for (const [index, text] of texts.entries()) {
    const deltas = deltasOf(await events()).filter((event) => event.partIndex === index);
    assert.ok(textIn(deltas) === text, `part ${index}`);
    let offset = 0;
    for (const event of deltas) {
      assert.equal(event.offset, offset);
      assert.ok(event.delta.isWellFormed());
      offset += event.delta.length;
    }
  }
});

const surrogates: readonly [name: string, feed: readonly (string | ParleyEvent)[], text: string][] = [
  ["a pair in two deltas is one character", ["a\ud83d", "\ude00b"], "a😀b"],
  ["a pair in two deltas of nothing else", ["\ud83d", "\ude00"], "😀"],
  ["empty deltas between the halves", ["a\ud83d", "", "\ude00"], "a😀"],
  ["a high half that is followed by something else", ["\ud83d", "x"], "\ufffdx"],
  ["a high half at the end", ["a\ud83d", end(2)], "a\ufffd"],
  ["a low half alone", ["\ude00a"], "\ufffda"],
  ["two high halves", ["\ud83d\ud83d", "\ude00"], "\ufffd😀"],
  ["U+0000", ["a\u0000b"], "a\ufffdb"],
];
for (const [name, feed, text] of surrogates) {
  test(`[W5] text is well-formed everywhere: ${name}`, async (t) => {
    const { writer, events, state } = await setup(t);
    for (const item of feed) {
      if (typeof item === "string") writer.text("m", 0, item);
      else writer.event(item);
      await nextTurn();
    }
    await writer.flush();
    assert.deepEqual([writer.textOf("m", 0), textIn(await events()), textOf(await state(), "m")], [text, text, text]);
    for (const event of deltasOf(await events())) assert.ok(event.delta.isWellFormed());
  });
}

test("[L9] a part takes 1 MiB, and then says so", async (t) => {
  const { writer, state, events } = await setup(t);
  const piece = "x".repeat(64 * 1024);
  const answers = new Set<Written>();
  for (let i = 0; i < 15; i++) answers.add(writer.text("m", 0, piece));
  assert.deepEqual([...answers], ["written"]);
  assert.equal(writer.text("m", 0, `${piece.slice(1)}😀`), "length");
  assert.equal(writer.text("m", 0, "yyy"), "length");
  assert.equal(writer.text("m", 1, "another part"), "written");
  assert.deepEqual(await writer.flush(), { ok: true });
  const { complete } = await state();
  assert.deepEqual([writer.textOf("m", 0).length, complete], [1024 * 1024, true]);
  assert.ok(textOf(await state(), "m") === writer.textOf("m", 0));
  assert.equal(deltasOf(await events()).at(-1)?.partIndex, 1);
});

test("[R5] a reset cuts the writer's own text and the log's", async (t) => {
  const { writer, state } = await setup(t);
  writer.event(start());
  writer.text("m", 0, "first attempt");
  writer.text("m", 1, "later part");
  writer.event(reset(5));
  writer.text("m", 0, " again");
  await writer.flush();
  assert.deepEqual([writer.textOf("m", 0), writer.textOf("m", 1)], ["first again", ""]);
  assert.deepEqual((await state()).accumulators, [
    { messageId: "m", partIndex: 0, part: { type: "text" }, text: "first again" },
  ]);
});

test("[R5] a part that a reset removed begins anew", async (t) => {
  const { writer, state } = await setup(t);
  writer.text("m", 0, "first");
  writer.text("m", 1, "removed");
  writer.event(reset(5));
  writer.text("m", 1, "second");
  await writer.flush();
  assert.equal(writer.textOf("m", 1), "second");
  const { accumulators, complete } = await state();
  assert.deepEqual([accumulators[1]?.text, complete], ["second", true]);
});

test("[L4] beginning a part makes a topic that a non-owner opened complete", async (t) => {
  const { log, topic, writer, state } = await setup(t, "missing");
  await writer.flush();
  await log.close();
  const other = new MemoryEventLog();
  t.after(() => other.close());
  await other.open({ topic, epoch: "e", fence: FENCE, accumulators: [], owner: false });
  assert.equal((await stateOf(other, topic)).complete, false);
  const logger = recordingLogger();
  const batcher = new LogBatcher({ log: other, logger, metrics: { appended() {}, bug() {} } });
  const second = new RunWriter({ log: other, batcher, logger, topic, fence: FENCE, onFenced() {} });
  second.start(await stateOf(other, topic));
  second.event(start());
  await second.flush();
  assert.equal((await stateOf(other, topic)).complete, true);
  await assert.rejects(state());
});

// ── the log is lost ─────────────────────────────────────────────────────────────────────────────────────────────

test("[R8] a writer without a topic opens it as its owner", async (t) => {
  const { writer, state } = await setup(t, "missing");
  writer.event(start());
  writer.text("m", 0, "text");
  assert.deepEqual(await writer.flush(), { ok: true });
  const { fence, complete, accumulators } = await state();
  assert.deepEqual(
    [fence, complete, accumulators],
    [FENCE, true, [{ messageId: "m", partIndex: 0, part: { type: "text" }, text: "text" }]],
  );
});

/** Replaces the topic, as another node's reader does after the log lost it. */
const replaced = ({ log, topic }: Setup): Promise<string> => opened(log, topic, FENCE);

test("[R8] in a lost topic all text is in the accumulators, and only other events are appended again", async (t) => {
  const all = await setup(t);
  const { writer, state, events } = all;
  writer.event(start());
  writer.text("m", 0, "before ");
  await writer.flush();
  const lost = await replaced(all);
  writer.text("m", 0, "between ");
  writer.event(end(15));
  writer.event(start("m", 1));
  writer.text("m", 1, "after");
  assert.deepEqual(await writer.flush(), { ok: true });
  const { epoch, accumulators, complete } = await state();
  assert.notEqual(epoch, lost);
  assert.deepEqual(accumulators, [
    { messageId: "m", partIndex: 0, part: { type: "text" }, text: "before between " },
    { messageId: "m", partIndex: 1, part: { type: "text" }, text: "after" },
  ]);
  assert.equal(complete, true);
  assert.deepEqual(await events(), [end(15)]);
  writer.text("m", 1, "wards");
  await writer.flush();
  assert.equal(deltasOf(await events())[0]?.offset, 5);
  assert.equal(textOf(await state(), "m", 1), "afterwards");
});

test("[R8] a reset that was lost is not told again after the text that follows it", async (t) => {
  const all = await setup(t);
  const { writer, state, events } = all;
  writer.text("m", 0, "first attempt");
  await writer.flush();
  await replaced(all);
  writer.event(reset(0));
  writer.text("m", 0, "second");
  await writer.flush();
  assert.deepEqual(await events(), []);
  assert.equal(textOf(await state(), "m"), "second");
});

test("[R8] while the log is away the run goes on, and its text is there when the log is back", async (t) => {
  const all = await setup(t);
  const { writer, gate, state } = all;
  const away = () => Promise.reject(new ParleyError("UNAVAILABLE"));
  gate.append = away;
  gate.open = away;
  writer.event(start());
  for (let i = 0; i < 100; i++) {
    assert.equal(writer.text("m", 0, `${i} `), "written");
    await nextTurn();
  }
  assert.deepEqual(await writer.flush(1), { ok: false, reason: "UNAVAILABLE" });
  delete gate.append;
  delete gate.open;
  writer.text("m", 0, "end");
  assert.deepEqual(await writer.flush(), { ok: true });
  assert.equal(textOf(await state(), "m"), writer.textOf("m", 0));
  assert.ok(writer.textOf("m", 0).endsWith("99 end"));
});

test("[R8] a writer that the log has forgotten opens the topic again", async (t) => {
  const { writer, log, topic, state } = await setup(t);
  writer.text("m", 0, "one ");
  await writer.flush();
  const { epoch } = await state();
  for (let i = 0; i < 64; i++) {
    const identity = { writer: `${i}`, n: 1, fence: FENCE };
    await log.append([{ topic, epoch, identity, event: "{}" }]);
  }
  writer.text("m", 0, "two");
  assert.deepEqual(await writer.flush(), { ok: true });
  assert.notEqual((await state()).epoch, epoch);
  assert.equal(textOf(await state(), "m"), "one two");
});

test("[R8] events that wait for the log are bounded", async (t) => {
  const { writer, gate } = await setup(t, "missing");
  gate.open = () => new Promise(() => {});
  const answers = Array.from({ length: 1100 }, () => writer.event(end(0)));
  assert.deepEqual([answers[999], answers[1000], answers[1099]], ["written", "overflow", "overflow"]);
  writer.close();
});

// ── fenced, closed ──────────────────────────────────────────────────────────────────────────────────────────────

test("[R4] a fenced writer says so once and writes nothing more", async (t) => {
  const { writer, log, topic, fenced, calls, state } = await setup(t);
  writer.text("m", 0, "mine");
  await writer.flush();
  await log.seal(topic, FENCE + 1);
  writer.text("m", 0, " not mine");
  writer.event(end(13));
  assert.deepEqual(await writer.flush(), { ok: false, reason: "FENCED" });
  const before = calls.length;
  assert.deepEqual([writer.text("m", 0, "x"), writer.event(end(0))], ["ended", "ended"]);
  assert.deepEqual(await writer.flush(), { ok: false, reason: "FENCED" });
  await nextTurn();
  assert.deepEqual([fenced.times, calls.length, textOf(await state(), "m")], [1, before, "mine"]);
  writer.close();
  assert.equal(fenced.times, 1);
});

test("[R4] a writer whose topic a newer owner opened is fenced when it opens it again", async (t) => {
  const { writer, log, topic, fenced, state } = await setup(t);
  const epoch = await opened(log, topic, FENCE + 1);
  writer.text("m", 0, "late");
  assert.deepEqual(await writer.flush(), { ok: false, reason: "FENCED" });
  assert.deepEqual([fenced.times, (await state()).epoch, (await state()).seq], [1, epoch, 0]);
});

test("a closed writer keeps its text and writes nothing", async (t) => {
  const { writer, events } = await setup(t);
  writer.text("m", 0, "text");
  const flushed = writer.flush();
  writer.close();
  assert.deepEqual(await flushed, { ok: false, reason: "CLOSED" });
  await nextTurn();
  assert.deepEqual([await events(), writer.textOf("m", 0), writer.text("m", 0, "x")], [[], "text", "ended"]);
});

test("a writer that is closed while it opens its topic stays closed", async (t) => {
  const all = await setup(t);
  const { writer, gate, calls, fenced } = all;
  const answer = Promise.withResolvers<void>();
  let asked = false;
  gate.open = () => {
    asked = true;
    return answer.promise;
  };
  await replaced(all);
  writer.text("m", 0, "text");
  await until(() => asked, "the writer to open its topic");
  writer.close();
  answer.resolve();
  for (let turns = 0; turns < 3; turns++) await nextTurn();
  assert.equal(writer.text("m", 0, "late"), "ended");
  await nextTurn();
  assert.deepEqual([calls.length, fenced.times], [1, 0]);
});
