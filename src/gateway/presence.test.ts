import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench, type BenchPeer, settle } from "../../test/support/delivery-bench.ts";
import type { EphemeralParams } from "../protocol/frames.ts";
import type { PresenceMember } from "../protocol/shapes.ts";

const TOPIC = "conversation:c";
const KIB = 1024;
const ANN = { id: "u", name: "Ann" };

async function live(bench: Bench, id: string): Promise<BenchPeer> {
  const peer = bench.connect(id);
  await bench.subscribe(peer);
  return peer;
}

const update = ({ link }: BenchPeer, state: PresenceMember["state"] = "active", topic = TOPIC) =>
  link.presence.update(ANN, { topic, state });

/** What a peer was sent so far: `[member, state]` of presence, the first and last seq of anything else. */
const heard = ({ connection }: BenchPeer): unknown[] =>
  connection.take().flatMap(({ method, params }): unknown[] => {
    if (method === "resync") return ["resync"];
    if (method === "ephemeral") {
      const { topic, event } = params as unknown as EphemeralParams;
      assert.deepEqual([topic, event.name, event.value.user], [TOPIC, "presence.changed", ANN]);
      return [[event.value.memberId, event.value.state]];
    }
    const items = (method === "events" ? params["events"] : [params]) as { seq: number; fromSeq?: number }[];
    return items.map(({ seq, fromSeq }) => [fromSeq ?? seq, seq]);
  });

const states = (members: readonly PresenceMember[]) => members.map(({ memberId, state }) => [memberId, state]);

test("[L10] who reads a topic is told who else does, and how that changes; nothing of it has a seq or is in the log", async () => {
  const bench = new Bench();
  await bench.openTopic();
  const a = await live(bench, "a");
  const b = await live(bench, "b");
  assert.deepEqual(await update(a), { ttlMs: 30_000, members: [{ memberId: "a", user: ANN, state: "active" }] });
  assert.deepEqual(states((await update(b, "typing")).members), [
    ["a", "active"],
    ["b", "typing"],
  ]);
  await update(b, "typing");
  assert.deepEqual(states((await a.link.presence.list(TOPIC)).members), [
    ["a", "active"],
    ["b", "typing"],
  ]);
  assert.deepEqual(heard(a), [
    ["a", "active"],
    ["b", "typing"],
  ]);
  b.link.presence.leave(TOPIC);
  b.link.presence.leave(TOPIC);
  assert.deepEqual(heard(a), [["b", "gone"]]);
  assert.deepEqual(a.link.positions(), { [TOPIC]: bench.position(0) });
  assert.deepEqual(await bench.log.read(TOPIC, bench.position(0), 1_000), { ok: true, entries: [], head: 0 });
  await bench.close();
});

test("[L10] nothing is told before the answer of the subscribe; from then on, also who still catches up is told", async () => {
  const bench = new Bench();
  await bench.openTopic();
  await bench.note(3);
  const other = await live(bench, "other");
  const peer = bench.connect("peer");
  const answer = await bench.ask(peer, bench.position(1));
  await update(other);
  assert.deepEqual(heard(peer), []);
  peer.link.release(answer);
  await update(other, "typing");
  await settle();
  const told = heard(peer);
  assert.deepEqual(
    told.filter((item) => Array.isArray(item) && item[0] === "other"),
    [["other", "typing"]],
  );
  assert.deepEqual(peer.link.positions(), { [TOPIC]: bench.position(3) });
  await bench.close();
});

test("[L10] a member is gone with its subscription, its connection, or its time", async () => {
  const bench = new Bench();
  await bench.openTopic();
  const reader = await live(bench, "reader");
  const [a, b, c] = [await live(bench, "a"), await live(bench, "b"), await live(bench, "c")];
  for (const peer of [a, b, c]) await update(peer);
  // Asked again after a gap, it stays.
  await bench.subscribe(a);
  heard(reader);
  assert.equal((await reader.link.presence.list(TOPIC)).members.length, 3);
  a.link.unsubscribe(TOPIC);
  b.link.close();
  assert.deepEqual(heard(reader), [
    ["a", "gone"],
    ["b", "gone"],
  ]);
  bench.clock.advance(29_000);
  assert.equal((await reader.link.presence.list(TOPIC)).members.length, 1);
  bench.clock.advance(1_000);
  assert.deepEqual(await reader.link.presence.list(TOPIC), { members: [] });
  assert.deepEqual(heard(reader), [["c", "gone"]]);
  await bench.close();
});

test("[L10] who left while it was put in is not left there", async () => {
  const bench = new Bench();
  await bench.openTopic();
  const a = await live(bench, "a");
  const putIn = update(a);
  a.link.close();
  await assert.rejects(putIn, { code: "CANCELLED" });
  assert.deepEqual(await bench.presence.list(TOPIC), []);
  assert.throws(() => a.link.presence, { code: "CANCELLED" });
  await bench.close();
});

test("[L10] a topic that is not read is NOT_FOUND; one that is being opened is asked for again", async () => {
  const bench = new Bench();
  await bench.openTopic();
  const a = bench.connect("a");
  await assert.rejects(update(a), { code: "NOT_FOUND" });
  await assert.rejects(a.link.presence.list(TOPIC), { code: "NOT_FOUND" });
  const answer = bench.ask(a);
  await assert.rejects(update(a), { code: "UNAVAILABLE", retryAfterMs: 100 });
  await answer;
  assert.equal((await update(a)).members.length, 1);
  assert.deepEqual(heard(a), []);
  await bench.close();
});

test("[L10] [W11] updates of a connection have a rate", async () => {
  const bench = new Bench();
  await bench.openTopic();
  const a = await live(bench, "a");
  for (let i = 0; i < 40; i++) await update(a, i % 2 === 0 ? "active" : "typing");
  await assert.rejects(update(a), { code: "RATE_LIMITED", retryAfterMs: 250 });
  bench.clock.advance(250);
  await update(a);
  await bench.close();
});

test("[L10] [L7] a slow reader loses only these, and long before anything else waits for it", async () => {
  const bench = new Bench();
  await bench.openTopic();
  const slow = await live(bench, "slow");
  const other = await live(bench, "other");
  slow.connection.bufferedBytes = 65 * KIB;
  await update(other);
  await bench.deltas(0, "a");
  assert.deepEqual(heard(slow), [[1, 1]]);
  slow.connection.bufferedBytes = 300 * KIB;
  slow.connection.reads = false;
  await bench.deltas(1, "b");
  await update(other, "typing");
  await bench.deltas(2, "c");
  assert.deepEqual(heard(slow), [[2, 2]]);
  slow.connection.reads = true;
  slow.connection.bufferedBytes = 0;
  slow.link.drain();
  await settle();
  assert.deepEqual(heard(slow), [[3, 3]]);
  assert.deepEqual(states((await slow.link.presence.list(TOPIC)).members), [["other", "typing"]]);
  await update(other, "away");
  assert.deepEqual(heard(slow), [["other", "away"]]);
  await bench.close();
});
