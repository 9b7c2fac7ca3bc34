import assert from "node:assert/strict";
import { test } from "node:test";
import { message, scopeOf } from "../../test/support/conversations.fake.ts";
import { Bench, type BenchPeer, settle } from "../../test/support/delivery-bench.ts";
import { frameHead } from "../protocol/codec.ts";
import { ParleyError } from "../protocol/errors.ts";

const TOPIC = "conversation:c";
const KIB = 1024;

const refused = (code: string) => (error: unknown) => error instanceof ParleyError && error.code === code;

async function live(bench: Bench): Promise<BenchPeer> {
  const peer = bench.connect();
  await bench.subscribe(peer);
  return peer;
}

test("[W6] events wait until their answer was written, and then start right after its position", async () => {
  const bench = new Bench();
  await bench.openTopic();
  await bench.deltas(0, "a", "b");
  const peer = bench.connect();
  const answer = await bench.ask(peer, bench.position(1));
  assert.deepEqual(answer, { mode: "replay", position: bench.position(1) });
  await bench.deltas(2, "c");
  await bench.note();
  await settle();
  assert.deepEqual(peer.connection.takeEvents(), []);
  assert.deepEqual(peer.link.positions(), {});
  peer.link.release({});
  await settle();
  assert.deepEqual(peer.connection.takeEvents(), []);
  peer.link.release(answer);
  await settle();
  assert.deepEqual(peer.connection.takeEvents(), [
    [2, 3, "bc"],
    [4, 4, "CUSTOM"],
  ]);
  assert.deepEqual(peer.link.positions(), { [TOPIC]: bench.position(4) });
  await bench.deltas(3, "d");
  assert.deepEqual(peer.connection.takeEvents(), [[5, 5, "d"]]);
  assert.deepEqual(bench.counters, {
    events: 4,
    bytes: bench.counters.bytes,
    lagged: 0,
    resyncs: 0,
    gapsHealed: 0,
    tooSlow: 0,
    readsFailed: 0,
  });
  await bench.close();
});

test("[W6] a position that the log can't continue is answered with a snapshot", async () => {
  const bench = new Bench();
  await bench.openTopic();
  await bench.note(3);
  const peer = bench.connect();
  for (const position of [undefined, bench.position(4), { epoch: "other", seq: 1 }]) {
    const answer = await bench.ask(peer, position);
    assert.deepEqual([answer.mode, answer.position], ["snapshot", bench.position(3)]);
  }
  await bench.note(2_500);
  const tooOld = await bench.ask(peer, bench.position(3));
  assert.deepEqual([tooOld.mode, tooOld.position], ["snapshot", bench.position(2_503)]);
  await bench.close();
});

test("an answer that is never written gives up its subscription with a resync", async () => {
  const bench = new Bench();
  await bench.openTopic();
  const peer = bench.connect();
  await bench.ask(peer);
  bench.clock.advance(9_000);
  assert.deepEqual(peer.connection.takeEvents(), []);
  bench.clock.advance(2_000);
  assert.deepEqual(peer.connection.takeEvents(), ["resync"]);
  assert.equal(bench.hub.topics, 0);
  await bench.close();
});

test("a second subscribe replaces the first", async () => {
  const bench = new Bench();
  await bench.openTopic();
  await bench.note(2);
  const peer = await live(bench);
  await bench.subscribe(peer, bench.position(0));
  assert.deepEqual(peer.connection.takeEvents(), [
    [1, 1, "CUSTOM"],
    [2, 2, "CUSTOM"],
  ]);
  await bench.note();
  assert.deepEqual(peer.connection.takeEvents(), [[3, 3, "CUSTOM"]]);
  assert.deepEqual([bench.hub.topics, bench.hub.subscriptions], [1, 1]);
  await bench.close();
});

test("of two subscribes at once the later one counts; unsubscribe and close cancel one that is being answered", async () => {
  const bench = new Bench();
  await bench.openTopic();
  const peer = bench.connect();
  const first = bench.ask(peer);
  const second = bench.ask(peer);
  await assert.rejects(first, refused("CANCELLED"));
  peer.link.release(await second);
  await settle();
  await bench.note();
  assert.deepEqual(peer.connection.takeEvents(), [[1, 1, "CUSTOM"]]);

  const third = bench.ask(peer);
  peer.link.unsubscribe(TOPIC);
  await assert.rejects(third, refused("CANCELLED"));
  await bench.note();
  assert.deepEqual(peer.connection.takeEvents(), []);

  const fourth = bench.ask(peer);
  peer.link.close();
  await assert.rejects(fourth, refused("CANCELLED"));
  await assert.rejects(bench.ask(peer), refused("CANCELLED"));
  assert.deepEqual([bench.hub.topics, bench.hub.subscriptions], [0, 0]);
  await bench.close();
});

test("[W11] a connection has at most so many topics; subscribing again to one of them is no more", async () => {
  const bench = new Bench();
  const peer = bench.connect();
  for (const id of ["c1", "c2", "c3", "c4"]) bench.store.add(id, "u");
  await bench.subscribe(peer, undefined, "conversation:c1");
  await bench.subscribe(peer, undefined, "conversation:c2");
  const third = bench.ask(peer, undefined, "conversation:c3");
  await assert.rejects(bench.ask(peer, undefined, "conversation:c4"), refused("TOO_MANY_SUBSCRIPTIONS"));
  peer.link.release(await third);
  await bench.subscribe(peer, undefined, "conversation:c2");
  peer.link.unsubscribe("conversation:c1");
  await bench.subscribe(peer, undefined, "conversation:c4");
  assert.deepEqual(Object.keys(peer.link.positions()).sort(), [
    "conversation:c2",
    "conversation:c3",
    "conversation:c4",
  ]);
  await bench.close();
});

test("a topic of somebody else is as if it did not exist", async () => {
  const bench = new Bench();
  bench.store.add("theirs", "v");
  const { link } = bench.connect();
  const errors: unknown[] = [];
  for (const topic of ["conversation:theirs", "conversation:none", "user:v", "user:none"]) {
    await link
      .subscribe(scopeOf("u"), { topic, position: { epoch: "e", seq: 1 } })
      .catch((error: unknown) => errors.push(error));
  }
  assert.deepEqual(
    errors.map((error) => (error instanceof ParleyError ? [error.code, error.message] : error)),
    Array(4).fill(["NOT_FOUND", new ParleyError("NOT_FOUND").message]),
  );
  assert.equal(bench.hub.topics, 0);
  await bench.close();
});

test("[L8] a frame is encoded once: a string for one subscriber, the same bytes for several", async () => {
  const bench = new Bench();
  await bench.openTopic();
  const first = await live(bench);
  await bench.deltas(0, "é");
  const [only] = first.connection.sent.splice(0);
  assert.equal(typeof only, "string");
  const second = await live(bench);
  const third = await live(bench);
  await bench.deltas(1, "€");
  const frames = [first, second, third].map(({ connection }) => connection.sent.splice(0));
  assert.ok(frames[0]?.[0] instanceof Uint8Array);
  for (const sent of frames) assert.ok(sent.length === 1 && sent[0] === frames[0][0]);
  assert.equal(bench.counters.events, 4);
  assert.equal(bench.counters.bytes, Buffer.byteLength(String(only)) + 3 * frames[0][0].length);
  assert.ok(String(only).includes(frameHead(TOPIC, bench.epoch).event));
  await bench.close();
});

test("[L6] one subscription to the log per topic, whatever the number of readers; none when the last has gone", async () => {
  let subscriptions = 0;
  const bench = new Bench((log) =>
    Object.assign(Object.create(log) as typeof log, {
      subscribe: (...args: Parameters<typeof log.subscribe>) => {
        subscriptions++;
        const stop = log.subscribe(...args);
        return () => {
          subscriptions--;
          stop();
        };
      },
      read: log.read.bind(log),
      state: log.state.bind(log),
      open: log.open.bind(log),
      heads: log.heads.bind(log),
    }),
  );
  const peers = [bench.connect(), bench.connect(), bench.connect()];
  for (const peer of peers) await bench.subscribe(peer);
  assert.equal(subscriptions, 1);
  assert.equal(bench.hub.subscriptions, 3);
  peers[0]?.link.unsubscribe(TOPIC);
  peers[1]?.link.close();
  assert.equal(subscriptions, 1);
  peers[2]?.link.close();
  assert.equal(subscriptions, 0);
  await bench.close();
});

test("[L7] a slow connection is sent nothing more, of any topic, and reads on when it has drained, deltas merged", async () => {
  const bench = new Bench();
  await bench.openTopic();
  const peer = await live(bench);
  await bench.subscribe(peer, undefined, "user:u");
  peer.connection.reads = false;
  await bench.note(1, "x".repeat(60 * KIB));
  peer.connection.take();
  peer.connection.bufferedBytes = 300 * KIB;
  await bench.deltas(0, "a");
  assert.deepEqual(peer.connection.takeEvents(), [[2, 2, "a"]]);
  assert.equal(bench.counters.lagged, 2);

  for (let i = 0; i < 50; i++) await bench.deltas(1 + i, "b");
  await settle();
  assert.deepEqual(peer.connection.takeEvents(), []);
  assert.deepEqual(peer.link.positions()[TOPIC], bench.position(2));
  peer.connection.bufferedBytes = 65 * KIB;
  peer.link.drain();
  await settle();
  assert.deepEqual(peer.connection.takeEvents(), []);
  peer.connection.bufferedBytes = 64 * KIB;
  peer.link.drain();
  await settle();
  assert.deepEqual(peer.connection.takeEvents(), [[3, 52, "b".repeat(50)]]);
  await bench.deltas(51, "c");
  assert.deepEqual(peer.connection.takeEvents(), [[53, 53, "c"]]);
  await bench.close();
});

test("[L7] a snapshot's long text waits for a slow connection", async () => {
  const bench = new Bench();
  const text = "0123456789".repeat(100_000);
  await bench.openTopic([text]);
  const conversation = bench.store.rows.get("c");
  assert.ok(conversation);
  conversation.messages = [message("m", "streaming", [])];
  const peer = bench.connect();
  peer.connection.reads = false;
  const answer = await bench.ask(peer);
  assert.ok(answer.mode === "snapshot" && "messages" in answer.snapshot);
  const [part] = answer.snapshot.messages[0]?.parts ?? [];
  assert.ok(part?.type === "text");
  let shown = part.text;
  assert.ok(shown.length > 90_000 && shown.length < 96 * KIB);
  const head = bench.position(250);
  peer.link.release(answer);
  let seq = answer.position.seq;
  let rounds = 0;
  for (; seq < head.seq; rounds++) {
    assert.ok(peer.connection.bufferedBytes < 600 * KIB, `${peer.connection.bufferedBytes} bytes`);
    for (const item of peer.connection.takeEvents()) {
      const [from, to, delta] = item as [number, number, string];
      assert.deepEqual([from, to], [seq + 1, seq + 1]);
      seq = to;
      shown += delta;
    }
    peer.connection.bufferedBytes = 0;
    peer.link.drain();
    await settle();
  }
  assert.ok(rounds > 2, "it went out at once");
  assert.equal(shown, text);
  assert.deepEqual(peer.link.positions()[TOPIC], head);
  await bench.deltas(text.length, "!");
  assert.deepEqual(peer.connection.takeEvents(), [[251, 251, "!"]]);
  await bench.close();
});

test("[L7] a connection that reads nothing for 10 s is closed 4008", async () => {
  const bench = new Bench();
  await bench.openTopic();
  const peer = await live(bench);
  peer.connection.reads = false;
  peer.connection.bufferedBytes = 300 * KIB;
  await bench.note();
  bench.clock.advance(9_000);
  assert.equal(peer.connection.closedWith, undefined);
  bench.clock.advance(2_000);
  assert.equal(peer.connection.closedWith, 4008);
  assert.deepEqual([bench.counters.tooSlow, bench.hub.topics], [1, 0]);
  await bench.close();
});

test("[L7] responses that fill the buffer above 1 MiB close the connection", async () => {
  const bench = new Bench();
  await bench.openTopic();
  const peer = await live(bench);
  peer.connection.bufferedBytes = 1024 * KIB;
  peer.link.notePressure();
  assert.equal(peer.connection.closedWith, undefined);
  peer.connection.bufferedBytes++;
  peer.link.notePressure();
  assert.equal(peer.connection.closedWith, 4008);
  await bench.close();
});

test("a frame that is not taken ends the connection's subscriptions: its client resumes on another", async () => {
  const bench = new Bench();
  await bench.openTopic();
  const peer = await live(bench);
  peer.connection.lost = true;
  await bench.note();
  assert.deepEqual([bench.hub.topics, peer.link.positions()], [0, {}]);
  const next = bench.connect();
  await bench.subscribe(next, bench.position(0));
  assert.deepEqual(next.connection.takeEvents(), [[1, 1, "CUSTOM"]]);
  await bench.close();
});
