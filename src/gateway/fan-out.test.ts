import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench, type BenchPeer, settle } from "../../test/support/delivery-bench.ts";
import type { MemoryEventLog } from "../adapters/event-log.memory.ts";
import type { EventLog, LogListener, Published } from "../ports/event-log.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Position } from "../protocol/shapes.ts";

/** A log whose publications and failures the test decides; calls are recorded. */
class ToyLog {
  readonly inner: MemoryEventLog;
  readonly headsCalls: (readonly string[])[] = [];
  reads: Position[] = [];
  /** Takes publications instead of the subscribers. */
  intercept: ((listener: LogListener, published: Published) => void) | undefined = undefined;
  fail: "no" | "reject" | "hang" = "no";
  /** Publications were lost for a while: set by who subscribes to that. */
  reconnect: () => void = () => assert.fail("nobody asked to be told");

  constructor(inner: MemoryEventLog) {
    this.inner = inner;
  }

  get port(): EventLog {
    const { inner } = this;
    return {
      open: inner.open.bind(inner),
      append: inner.append.bind(inner),
      seal: inner.seal.bind(inner),
      state: inner.state.bind(inner),
      close: inner.close.bind(inner),
      onReconnect: (listener) => {
        this.reconnect = listener;
        return () => (this.reconnect = () => undefined);
      },
      heads: (topics) => {
        this.headsCalls.push(topics);
        return this.#answer(() => inner.heads(topics));
      },
      read: (topic, after, limit) => {
        this.reads.push({ epoch: after.epoch, seq: after.seq });
        return this.#answer(() => inner.read(topic, after, limit));
      },
      subscribe: (topic, listener) =>
        inner.subscribe(topic, (published) => {
          if (this.intercept === undefined) listener(published);
          else this.intercept(listener, published);
        }),
    };
  }

  #answer<T>(call: () => Promise<T>): Promise<T> {
    switch (this.fail) {
      case "no":
        return call();
      case "reject":
        return Promise.reject(new ParleyError("UNAVAILABLE"));
      case "hang":
        return new Promise(() => {});
    }
  }
}

async function start(): Promise<{ bench: Bench; toy: ToyLog; peer: BenchPeer }> {
  let toy: ToyLog | undefined;
  const bench = new Bench((log) => (toy = new ToyLog(log)).port);
  assert.ok(toy);
  await bench.openTopic();
  const peer = bench.connect();
  await bench.subscribe(peer);
  toy.reads = [];
  return { bench, toy, peer };
}

const notes = (from: number, to: number): unknown[] =>
  Array.from({ length: to - from + 1 }, (_, i) => [from + i, from + i, "CUSTOM"]);

test("[L6] a gap heals without closing, and what was late is not sent twice", async () => {
  const { bench, toy, peer } = await start();
  const late: (() => void)[] = [];
  toy.intercept = (listener, published) => late.push(() => listener(published));
  await bench.note();
  await bench.note(2);
  toy.intercept = undefined;
  assert.deepEqual(peer.connection.takeEvents(), []);
  await bench.note();
  await settle();
  assert.deepEqual(peer.connection.takeEvents(), notes(1, 4));
  for (const deliver of late) deliver();
  await settle();
  assert.deepEqual(peer.connection.takeEvents(), []);
  assert.deepEqual([bench.counters.gapsHealed, bench.counters.resyncs, toy.reads.length], [1, 0, 1]);
  await bench.close();
});

test("[L6] a doubled publication is sent once, an overlapping one but for what was sent", async () => {
  const { bench, toy, peer } = await start();
  const published: Published[] = [];
  toy.intercept = (listener, first) => {
    published.push(first);
    const entries = published.flatMap((batch) => batch.entries);
    listener({ epoch: first.epoch, entries });
    listener({ epoch: first.epoch, entries });
  };
  await bench.note(2);
  await bench.note();
  assert.deepEqual(peer.connection.takeEvents(), notes(1, 3));
  assert.equal(toy.reads.length, 0);
  await bench.close();
});

test("[L6] a lost last event is noticed within 5 s of an active topic, with one call for all topics", async () => {
  const { bench, toy, peer } = await start();
  bench.store.add("d", "u");
  const other = bench.connect();
  await bench.subscribe(other, undefined, "conversation:d");
  toy.intercept = () => {};
  await bench.note();
  for (let second = 0; second < 6; second++) {
    bench.clock.advance(1_000);
    await settle();
  }
  assert.deepEqual(peer.connection.takeEvents(), notes(1, 1));
  assert.deepEqual(other.connection.takeEvents(), []);
  assert.deepEqual(
    toy.headsCalls.map((topics) => topics.toSorted()),
    [["conversation:c", "conversation:d"]],
  );
  await bench.close();
});

test("[L6] after a reconnect of what brings publications all topics are compared at once", async () => {
  const { bench, toy, peer } = await start();
  toy.intercept = () => {};
  await bench.note();
  toy.reconnect();
  await settle();
  assert.deepEqual(peer.connection.takeEvents(), notes(1, 1));
  assert.equal(toy.headsCalls.length, 1);
  await bench.close();
  toy.reconnect();
});

test("[L6] more topics than fit one call are compared one call after the other, and a failed one waits", async () => {
  const { bench, toy } = await start();
  const heard: string[] = [];
  for (let i = 0; i < 2_499; i++) {
    const peer = bench.connect();
    bench.store.add(`many-${i}`, "u");
    heard.push(`conversation:many-${i}`);
    await bench.subscribe(peer, undefined, `conversation:many-${i}`);
  }
  toy.fail = "reject";
  toy.reconnect();
  await settle();
  assert.equal(toy.headsCalls.length, 1);
  toy.fail = "no";
  toy.headsCalls.length = 0;
  bench.clock.advance(1_000);
  await settle();
  assert.deepEqual(
    toy.headsCalls.map((topics) => topics.length),
    [1_000, 1_000, 500],
  );
  assert.deepEqual(toy.headsCalls.flat().toSorted(), ["conversation:c", ...heard].toSorted());
  await bench.close();
});

test("[L6] a topic without events is compared every 25 s", async () => {
  const { bench, toy } = await start();
  for (let second = 0; second < 200; second++) {
    bench.clock.advance(1_000);
    await settle();
  }
  const calls = toy.headsCalls.length;
  assert.ok(calls >= 11 && calls <= 14, `${calls} calls in 200 s`);
  assert.equal(toy.reads.length, 0);
  await bench.close();
});

test("[L4, L6] a topic that the log has lost ends with a resync, also when nothing is published", async () => {
  const { bench, toy, peer } = await start();
  const heads = toy.inner.heads.bind(toy.inner);
  toy.inner.heads = async (topics) => topics.map(() => null);
  toy.inner.read = async () => ({ ok: false, reason: "NO_EPOCH" });
  for (let second = 0; second < 6; second++) {
    bench.clock.advance(1_000);
    await settle();
  }
  toy.inner.heads = heads;
  assert.deepEqual(peer.connection.takeEvents(), ["resync"]);
  assert.deepEqual([bench.hub.topics, bench.counters.resyncs], [0, 1]);
  await bench.close();
});

test("[L4] a new epoch ends subscriptions of the old one with a resync", async () => {
  const { bench, peer } = await start();
  await bench.note();
  peer.connection.take();
  await bench.openTopic();
  await bench.note();
  await settle();
  assert.deepEqual(peer.connection.takeEvents(), ["resync"]);
  const answer = await bench.subscribe(peer, { epoch: "e1", seq: 1 });
  assert.deepEqual([answer.mode, answer.position], ["snapshot", bench.position(1)]);
  await bench.note();
  assert.deepEqual(peer.connection.takeEvents(), notes(2, 2));
  await bench.close();
});

test("a late publication of a former epoch changes nothing", async () => {
  const { bench, toy, peer } = await start();
  const late: (() => void)[] = [];
  toy.intercept = (listener, published) => late.push(() => listener(published));
  await bench.note(3);
  await bench.openTopic();
  toy.intercept = undefined;
  await bench.subscribe(peer);
  for (const deliver of late) deliver();
  await settle();
  await bench.note();
  assert.deepEqual(peer.connection.takeEvents(), notes(1, 1));
  assert.equal(bench.counters.resyncs, 0);
  await bench.close();
});

test("[L6] a head that is older than what was published meanwhile is no alarm", async () => {
  const { bench, toy, peer } = await start();
  await bench.note();
  toy.inner.heads = () => bench.note().then(() => [{ epoch: bench.epoch, seq: 1, fence: 1 }]);
  bench.clock.advance(5_000);
  await settle();
  assert.equal(toy.headsCalls.length, 1);
  assert.deepEqual([toy.reads.length, peer.connection.takeEvents()], [0, notes(1, 2)]);
  await bench.close();
});

test("[L6] a head that went back makes subscriptions look", async () => {
  const { bench, toy, peer } = await start();
  await bench.note(2);
  peer.connection.take();
  toy.inner.heads = async () => [{ epoch: bench.epoch, seq: 1, fence: 1 }];
  toy.inner.read = async () => ({ ok: false, reason: "AHEAD" });
  bench.clock.advance(5_000);
  await settle();
  assert.deepEqual(peer.connection.takeEvents(), ["resync"]);
  await bench.close();
});

for (const how of ["reject", "hang"] as const) {
  test(`[L6] reads that ${how} are tried again after a pause, and heads at the next tick`, async () => {
    const { bench, toy, peer } = await start();
    toy.intercept = () => {};
    await bench.note();
    toy.fail = how;
    for (let second = 0; second < 12; second++) {
      bench.clock.advance(1_000);
      await settle();
    }
    assert.ok(toy.headsCalls.length >= 2, "heads were not asked for again");
    toy.intercept = undefined;
    await bench.note();
    for (let second = 0; second < 20; second++) {
      bench.clock.advance(1_000);
      await settle();
    }
    assert.ok(toy.reads.length >= 3 && toy.reads.length < 20, `${toy.reads.length} reads in 20 s`);
    assert.equal(bench.counters.readsFailed, how === "reject" ? toy.reads.length : toy.reads.length - 1);
    toy.fail = "no";
    for (let second = 0; second < 12; second++) {
      bench.clock.advance(1_000);
      await settle();
    }
    assert.deepEqual(peer.connection.takeEvents(), notes(1, 2));
    await bench.close();
  });
}

test("[L6] many subscriptions that fall behind at once are read for a few at a time", async () => {
  const { bench, toy } = await start();
  const peers = Array.from({ length: 100 }, () => bench.connect());
  for (const peer of peers) await bench.subscribe(peer);
  toy.reads = [];
  toy.intercept = () => {};
  await bench.note();
  toy.intercept = undefined;
  const answers: (() => void)[] = [];
  const read = toy.inner.read.bind(toy.inner);
  toy.inner.read = async (...args) => {
    await new Promise<void>((resolve) => answers.push(resolve));
    return read(...args);
  };
  await bench.note();
  assert.equal(answers.length, 32);
  // One of those that wait goes away; it is not read for.
  peers.at(-1)?.link.close();
  while (answers.length > 0) {
    answers.shift()?.();
    await settle();
  }
  assert.equal(toy.reads.length, 100);
  for (const peer of peers.slice(0, -1)) assert.deepEqual(peer.connection.takeEvents(), notes(1, 2));
  assert.deepEqual(peers.at(-1)?.connection.takeEvents(), []);
  await bench.close();
});

test("[L7] a turn that published very much is read instead, in bounded pieces", async () => {
  const { bench, toy, peer } = await start();
  await bench.note(20, "x".repeat(60_000));
  await settle();
  assert.deepEqual(peer.connection.takeEvents(), notes(1, 20));
  assert.ok(toy.reads.length >= 5, `${toy.reads.length} reads`);
  await bench.close();
});
