import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { wordsOf } from "../../test/support/conversation-script.ts";
import { message, scopeOf } from "../../test/support/conversations.fake.ts";
import { Bench } from "../../test/support/delivery-bench.ts";
import { MAX_FRAME_OUT } from "../protocol/constants.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Message, ToolPart } from "../protocol/shapes.ts";
import { jsonBytes } from "./json-text.ts";
import { Reads } from "./reads.ts";

const SCOPE = scopeOf("u");
const notFound = (error: unknown) => error instanceof ParleyError && error.code === "NOT_FOUND";

function start(...messages: Message[]): { bench: Bench; reads: Reads } {
  const bench = new Bench();
  const rows = bench.store.rows.get("c");
  assert.ok(rows);
  rows.messages = messages;
  return { bench, reads: new Reads({ log: bench.log, store: bench.store.store, clock: bench.clock }) };
}

/** A part as a client reads it: piece by piece. */
async function readAll(reads: Reads, messageId: string): Promise<{ text: string; pieces: number }> {
  let text = "";
  for (let pieces = 1; ; pieces++) {
    const piece = await reads.part(SCOPE, { messageId, partIndex: 0, offset: text.length });
    assert.ok(jsonBytes(piece) < MAX_FRAME_OUT - 100);
    assert.ok(piece.text.length <= 60_000 && piece.text.isWellFormed());
    text += piece.text;
    if (text.length === piece.length) return { text, pieces };
    assert.ok(piece.text.length > 0, "an empty piece before the end");
  }
}

test("[L11] conversation.get has the streaming text and position of the log, read before the store", async () => {
  const { bench, reads } = start(message("q", "complete", ["question"]), message("m", "streaming", []));
  const without = await reads.conversation(SCOPE, { conversationId: "c" });
  assert.equal(without.position, null);
  await bench.openTopic();
  await bench.deltas(0, "so ", "far");
  bench.store.when = async (read) => {
    await bench.deltas(6, " and on");
    return read();
  };
  const page = await reads.conversation(SCOPE, { conversationId: "c" });
  assert.deepEqual(page.position, bench.position(2));
  assert.deepEqual(
    page.messages.map(({ parts }) => parts.map(wordsOf).join()),
    ["question", "so far"],
  );
  await bench.close();
});

test("conversation.get pages back, and says whether there is more", async () => {
  const { bench, reads } = start(...Array.from({ length: 7 }, (_, i) => message(`m${i}`, "complete", [`text ${i}`])));
  const page = async (before?: string) => {
    const { messages, hasMore } = await reads.conversation(SCOPE, { conversationId: "c", before, limit: 3 });
    return [messages.map(({ id }) => id), hasMore];
  };
  assert.deepEqual(await page(), [["m4", "m5", "m6"], true]);
  assert.deepEqual(await page("m4"), [["m1", "m2", "m3"], true]);
  assert.deepEqual(await page("m1"), [["m0"], false]);
  await bench.close();
});

test("[W11] conversation.get fits a frame; a cut text says its length, also that of a streaming message", async () => {
  const { bench, reads } = start(message("old", "complete", ["o".repeat(100_000)]), message("m", "streaming", []));
  await bench.openTopic(["s".repeat(200_000)]);
  const result = await reads.conversation(SCOPE, { conversationId: "c" });
  assert.ok(jsonBytes(result) < MAX_FRAME_OUT - 100);
  assert.deepEqual(
    result.messages.map(({ parts: [part] }) => part?.type === "text" && part.length),
    [100_000, 200_000],
  );
  await bench.close();
});

test("message.read gives a whole stored text in pieces, whatever it takes as JSON", async () => {
  const unit = fc.constantFrom("a", "\u0001", '"', "€", "😀");
  await fc.assert(
    fc.asyncProperty(unit, fc.integer({ min: 0, max: 150_000 }), async (char, units) => {
      const text = char.repeat(Math.ceil(units / char.length));
      const { bench, reads } = start(message("m", "complete", [text]));
      assert.equal((await readAll(reads, "m")).text, text);
      await bench.close();
    }),
    { numRuns: 25 },
  );
  const { bench, reads } = start(message("m", "complete", ["x".repeat(130_000)]));
  assert.equal((await readAll(reads, "m")).pieces, 3);
  const beyond = await reads.part(SCOPE, { messageId: "m", partIndex: 0, offset: 200_000 });
  assert.deepEqual(beyond, { text: "", length: 130_000 });
  await bench.close();
});

test("[L11] message.read of a streaming message reads the log, and the row if it finished meanwhile", async () => {
  const { bench, reads } = start(message("m", "streaming", []));
  await bench.openTopic(["streamed"]);
  assert.equal((await readAll(reads, "m")).text, "streamed");
  // Between the two looks the message is committed and its text dropped from the log.
  const rows = bench.store.rows.get("c");
  assert.ok(rows);
  bench.store.when = async (read) => {
    const result = read();
    rows.messages = [message("m", "complete", ["streamed to the end"])];
    await bench.append([{ event: "{}", accumulate: { kind: "drop", messageId: "m" } }]);
    return result;
  };
  assert.equal((await reads.part(SCOPE, { messageId: "m", partIndex: 0, offset: 0 })).text, "streamed to the end");
  await bench.close();
});

const call: ToolPart = { type: "tool", toolCallId: "t1", name: "clock", args: { at: "noon" }, status: "completed" };

test("message.read gives the JSON of a tool call, and the text of reasoning", async () => {
  const long = { ...call, result: "é".repeat(90_000) };
  const { bench, reads } = start(
    { ...message("m", "complete", []), parts: [long] },
    { ...message("n", "complete", []), parts: [{ type: "reasoning", text: "hm" }] },
  );
  const { text, pieces } = await readAll(reads, "m");
  assert.deepEqual(JSON.parse(text), long);
  assert.ok(pieces > 1);
  assert.equal((await readAll(reads, "n")).text, "hm");
  await bench.close();
});

test("[L11] message.read of a streaming message: a finished part from its row, one that grows from the log", async () => {
  const { bench, reads } = start({ ...message("m", "streaming", []), parts: [call] });
  await bench.openTopic(["what the log has of it", "grows"]);
  const read = async (partIndex: number) => (await reads.part(SCOPE, { messageId: "m", partIndex, offset: 0 })).text;
  assert.deepEqual(JSON.parse(await read(0)), call);
  assert.equal(await read(1), "grows");
  await bench.append([
    {
      event: "{}",
      accumulate: {
        kind: "reset",
        messageId: "m",
        partIndex: 2,
        length: 0,
        part: { type: "tool", toolCallId: "t2", name: "clock" },
      },
    },
    { event: "{}", accumulate: { kind: "extend", messageId: "m", partIndex: 2, offset: 0, delta: '{"a' } },
  ]);
  const streaming = { ...call, toolCallId: "t2", args: {}, argsText: '{"a', status: "streaming" };
  assert.deepEqual(JSON.parse(await read(2)), streaming);
  await bench.close();
});

test("what is not there or not visible is NOT_FOUND", async () => {
  const { bench, reads } = start(message("m", "complete", ["text"]), message("s", "streaming", []));
  const stranger = scopeOf("v");
  await assert.rejects(reads.conversation(SCOPE, { conversationId: "none" }), notFound);
  await assert.rejects(reads.conversation(stranger, { conversationId: "c" }), notFound);
  await assert.rejects(reads.part(stranger, { messageId: "m", partIndex: 0, offset: 0 }), notFound);
  await assert.rejects(reads.part(SCOPE, { messageId: "m", partIndex: 1, offset: 0 }), notFound);
  await assert.rejects(reads.part(SCOPE, { messageId: "s", partIndex: 0, offset: 0 }), notFound);
  await assert.rejects(reads.part(SCOPE, { messageId: "none", partIndex: 0, offset: 0 }), notFound);
  await bench.close();
});
