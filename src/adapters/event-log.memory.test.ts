import assert from "node:assert/strict";
import { test } from "node:test";
import { eventLogContract } from "../../test/contracts/event-log.ts";
import {
  append,
  fenced,
  newTopic,
  opened,
  readFrom,
  stateOf,
  told,
  unfenced,
} from "../../test/support/event-log-appends.ts";
import { MemoryEventLog } from "./event-log.memory.ts";

const HOUR = 3_600_000;

eventLogContract("memory", () => {
  let now = Date.now();
  return {
    log: new MemoryEventLog({ now: () => now }),
    reliable: true,
    idle: () => {
      now += HOUR + 1;
    },
  };
});

test("[L9] an idle topic with subscribers keeps its position and loses its entries", async () => {
  let now = 0;
  const log = new MemoryEventLog({ now: () => now });
  const topic = newTopic();
  const epoch = await opened(log, topic);
  const stop = log.subscribe(topic, () => {});
  await append(log, unfenced(topic, "a"), unfenced(topic, "b"));
  now += HOUR + 1;
  assert.deepEqual(await log.heads([topic]), [{ epoch, seq: 2, fence: 1 }]);
  assert.deepEqual(await log.read(topic, { epoch, seq: 1 }, 10), { ok: false, reason: "TRIMMED" });
  assert.deepEqual((await append(log, unfenced(topic, "c"))).map(told), [3]);
  assert.equal((await readFrom(log, topic, { epoch, seq: 2 })).length, 1);
  stop();
  now += HOUR + 1;
  assert.deepEqual(await log.heads([topic]), [null]);
  await log.close();
});

test("[L9] an append keeps a topic from being idle", async () => {
  let now = 0;
  const log = new MemoryEventLog({ now: () => now });
  const topic = newTopic();
  await opened(log, topic);
  for (let i = 0; i < 4; i++) {
    now += HOUR - 1;
    assert.deepEqual((await append(log, unfenced(topic, `${i}`))).map(told), [i + 1]);
  }
  await log.close();
});

test("[L9] the sweep forgets idle topics that nobody asks for", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let now = 0;
  const log = new MemoryEventLog({ now: () => now, sweepMs: 1000 });
  const topic = newTopic();
  await opened(log, topic);
  now += HOUR + 1;
  t.mock.timers.tick(1000);
  // Back in time, a topic that was still there would be answered.
  now = 0;
  assert.deepEqual(await log.heads([topic]), [null]);
  await log.close();
});

test("[L9] retention can be set, and reads stay right while entries are trimmed", async () => {
  const log = new MemoryEventLog({ maxEvents: 10, maxBytes: 1000 });
  const topic = newTopic();
  const epoch = await opened(log, topic);
  for (let seq = 1; seq <= 3000; seq++) {
    assert.deepEqual((await append(log, fenced(seq, { topic, epoch }))).map(told), [seq]);
    const after = Math.max(0, seq - 10);
    const entries = await readFrom(log, topic, { epoch, seq: after });
    assert.deepEqual([entries[0]?.seq, entries.length], [after + 1, seq - after]);
    assert.equal((await log.read(topic, { epoch, seq: after - 1 }, 1)).ok, false);
  }
  await log.close();
});

test("[L2] what a listener appends is published after what it was told, to everybody in one order", async () => {
  const log = new MemoryEventLog();
  const [topic, other] = [newTopic(), newTopic()];
  await opened(log, topic);
  await opened(log, other);
  const heard: string[] = [];
  const nested: Promise<unknown>[] = [];
  log.subscribe(topic, ({ entries }) => {
    heard.push(`first ${entries.map((entry) => entry.seq).join()}`);
    if (entries[0]?.seq === 1) nested.push(append(log, unfenced(topic, "nested")));
  });
  log.subscribe(topic, ({ entries }) => heard.push(`second ${entries.map((entry) => entry.seq).join()}`));
  log.subscribe(other, () => heard.push("other"));
  await append(log, unfenced(topic, "a"), unfenced(other, "b"));
  await Promise.all(nested);
  assert.deepEqual(heard, ["first 1", "second 1", "other", "first 2", "second 2"]);
  await log.close();
});

test("[L2] a listener that is unsubscribed by another one is not called any more", async () => {
  const log = new MemoryEventLog();
  const topic = newTopic();
  await opened(log, topic);
  let calls = 0;
  const stops: (() => void)[] = [];
  log.subscribe(topic, () => stops.forEach((stop) => stop()));
  stops.push(log.subscribe(topic, () => calls++));
  await append(log, unfenced(topic, "a"));
  assert.equal(calls, 0);
  await log.close();
});

test("[L3] a writer that 64 newer ones have displaced is refused, not doubled", async () => {
  const log = new MemoryEventLog();
  const topic = newTopic();
  const epoch = await opened(log, topic);
  await append(log, fenced(1, { topic, epoch }), fenced(2, { topic, epoch }));
  for (let i = 0; i < 64; i++) await append(log, fenced(1, { topic, epoch, writer: `w${i}` }));
  assert.deepEqual((await append(log, fenced(3, { topic, epoch }))).map(told), ["HOLE"]);
  assert.equal((await stateOf(log, topic)).seq, 66);
  await log.close();
});

test("[L9] leftover accumulators are bounded", async () => {
  const log = new MemoryEventLog();
  const topic = newTopic();
  const epoch = await opened(log, topic);
  for (let i = 1; i <= 300; i++) {
    const accumulate = { kind: "extend", messageId: `m${i}`, partIndex: 0, offset: 0, delta: "x" } as const;
    await append(log, fenced(i, { topic, epoch, accumulate }));
  }
  const state = await stateOf(log, topic);
  assert.deepEqual(
    [state.accumulators.length, state.accumulators.at(-1)?.messageId, state.complete],
    [256, "m300", false],
  );
  await log.close();
});

test("[L2] a closed log takes no calls", async () => {
  const log = new MemoryEventLog();
  await log.close();
  await assert.rejects(log.append([]), { code: "UNAVAILABLE" });
  await assert.rejects(log.state("conversation:1"), { code: "UNAVAILABLE" });
});
