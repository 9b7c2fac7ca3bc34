import assert from "node:assert/strict";
import { test } from "node:test";
import { wordsOf } from "../../test/support/conversation-script.ts";
import { message, run } from "../../test/support/conversations.fake.ts";
import { Bench, settle } from "../../test/support/delivery-bench.ts";
import { MAX_FRAME_OUT } from "../protocol/constants.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Message, Part } from "../protocol/shapes.ts";
import { jsonBytes } from "./json-text.ts";

function rowsOf(bench: Bench) {
  const rows = bench.store.rows.get("c");
  assert.ok(rows);
  return rows;
}

const textsOf = (messages: readonly Message[]) => messages.map(({ parts }) => parts.map(wordsOf));

const lengthOf = (part: Part | undefined) => (part !== undefined && "length" in part ? part.length : undefined);

async function snapshotOf(bench: Bench) {
  const answer = await bench.ask(bench.connect());
  assert.ok(answer.mode === "snapshot" && "messages" in answer.snapshot);
  assert.ok(jsonBytes(answer) < MAX_FRAME_OUT - 100);
  return { ...answer, snapshot: answer.snapshot };
}

test("[W6, L11] a snapshot is the store's rows with the streaming text of the log", async () => {
  const bench = new Bench();
  await bench.openTopic();
  await bench.deltas(0, "so ", "far");
  rowsOf(bench).messages = [message("q", "complete", ["question"]), message("m", "streaming", [])];
  rowsOf(bench).activeRun = run("r", "c", "m");
  const { position, snapshot } = await snapshotOf(bench);
  assert.deepEqual(position, bench.position(2));
  assert.deepEqual(textsOf(snapshot.messages), [["question"], ["so far"]]);
  assert.equal(snapshot.activeRun?.id, "r");
  await bench.close();
});

test("[L4] a topic that nobody has opened is opened, for all who ask at once in one epoch", async () => {
  const bench = new Bench();
  rowsOf(bench).fence = 7;
  const [first, second] = await Promise.all([snapshotOf(bench), snapshotOf(bench)]);
  assert.deepEqual(first.position, { epoch: first.position.epoch, seq: 0 });
  assert.deepEqual(second.position, first.position);
  assert.deepEqual(await bench.log.state("conversation:c"), {
    ...first.position,
    fence: 7,
    accumulators: [],
    complete: false,
  });
  await bench.close();
});

test("[L4] a snapshot waits for the owner of a running answer to bring its text", async () => {
  const bench = new Bench();
  rowsOf(bench).messages = [message("m", "streaming", [])];
  rowsOf(bench).activeRun = run("r", "c", "m");
  const answer = snapshotOf(bench);
  await settle();
  bench.clock.advance(500);
  await settle();
  await bench.openTopic(["the text"]);
  bench.clock.advance(50);
  const { position, snapshot } = await answer;
  assert.deepEqual([position, textsOf(snapshot.messages)], [bench.position(0), [["the text"]]]);
  await bench.close();
});

test("[L4] … but no longer than 1 s, and not when nothing runs", async () => {
  const bench = new Bench();
  rowsOf(bench).messages = [message("m", "streaming", ["as stored"])];
  assert.deepEqual(textsOf((await snapshotOf(bench)).snapshot.messages), [["as stored"]]);
  rowsOf(bench).activeRun = run("r", "c", "m");
  const answer = snapshotOf(bench);
  let answered = false;
  const noted = answer.then(() => (answered = true));
  for (let waited = 0; waited < 1_000; waited += 50) {
    await settle();
    assert.equal(answered, false);
    bench.clock.advance(50);
  }
  await noted;
  assert.deepEqual(textsOf((await answer).snapshot.messages), [["as stored"]]);
  await bench.close();
});

test("[L7] long messages in the queue leave room for the answer that streams", async () => {
  const bench = new Bench();
  await bench.openTopic(["a".repeat(300_000)]);
  const queued = Array.from({ length: 5 }, (_, i) => message(`q${i}`, "complete", ["q".repeat(90_000)]));
  const all = [message("m", "streaming", []), ...queued];
  const rows = rowsOf(bench);
  rows.activeRun = run("r", "c", "m");
  // As the store does: the newest that fit.
  let asked = 0;
  bench.store.when = async (read) => {
    rows.messages = ++asked === 2 ? queued.slice(-2) : all;
    return read();
  };
  const { position, snapshot } = await snapshotOf(bench);
  assert.deepEqual(
    snapshot.messages.map(({ id }) => id),
    all.map(({ id }) => id),
  );
  const streaming = snapshot.messages[0]?.parts[0];
  assert.ok(streaming?.type === "text" && streaming.text.length > 10_000 && streaming.length === undefined);
  assert.ok(snapshot.messages.slice(1).every(({ parts }) => lengthOf(parts[0]) === 90_000));
  assert.equal(position.seq, 75 - Math.ceil((300_000 - streaming.text.length) / (48 * 1024)));
  await bench.close();
});

test("[W6] the user's topic starts from the newest 50 conversations", async () => {
  const bench = new Bench();
  for (let i = 0; i < 60; i++) bench.store.add(`c${i}`, "u");
  const peer = bench.connect();
  const answer = await bench.subscribe(peer, undefined, "user:u");
  assert.ok(answer.mode === "snapshot" && "conversations" in answer.snapshot);
  assert.deepEqual([answer.snapshot.conversations.length, answer.snapshot.nextCursor], [50, "more"]);
  const event = JSON.stringify({ type: "CUSTOM", name: "note" });
  await bench.log.append([{ topic: "user:u", epoch: null, identity: { eventId: "1" }, event }]);
  assert.deepEqual(peer.connection.takeEvents(), [[1, 1, "CUSTOM"]]);
  const again = await bench.ask(peer, answer.position, "user:u");
  assert.deepEqual(again, { mode: "replay", position: answer.position });
  await bench.close();
});

test("a log that fails or hangs is a retryable error, and leaves nothing behind", async () => {
  const bench = new Bench();
  const peer = bench.connect();
  bench.log.state = () => Promise.reject(new Error("connection refused"));
  const unavailable = (error: unknown) =>
    error instanceof ParleyError && error.code === "UNAVAILABLE" && error.retryable;
  await assert.rejects(bench.ask(peer), unavailable);
  bench.log.state = () => new Promise(() => {});
  const hanging = assert.rejects(bench.ask(peer), unavailable);
  await settle();
  bench.clock.advance(5_000);
  await hanging;
  assert.deepEqual([bench.hub.topics, bench.hub.subscriptions], [0, 0]);
  await bench.close();
});
