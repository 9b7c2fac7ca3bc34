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

/** Deltas of two parts in turns: words, long ones, and some that are not ASCII. */
function* growing(topic: string, epoch: string, until: number) {
  const words = ["word ", "é", "日本", "👍", "x".repeat(70), "end"];
  const lengths = [0, 0];
  for (let n = 1; n <= until; n++) {
    const partIndex = n % 2;
    const text = words[n % words.length] ?? "";
    const offset = lengths[partIndex] ?? 0;
    lengths[partIndex] = offset + text.length;
    const place = { messageId: "m", partIndex, offset };
    yield {
      partIndex,
      text,
      append: {
        ...fenced(n, { topic, epoch, accumulate: { kind: "extend", ...place, delta: text } }),
        delta: { part: "text", ...place, text },
      } as const,
    };
  }
}

for (const [retention, name] of [
  [{}, "all entries are retained"],
  [{ maxEvents: 7 }, "seven entries are retained"],
  [{ maxBytes: 100 }, "100 bytes are retained"],
  [{ maxBytes: 1 }, "no entry is retained"],
] as const) {
  test(`[L9] the text of growing parts is whole whenever it is asked for: ${name}`, async () => {
    const log = new MemoryEventLog(retention);
    const topic = newTopic();
    const epoch = await opened(log, topic);
    const texts: [string, string] = ["", ""];
    let asked = 0;
    for (const { partIndex, text, append: delta } of growing(topic, epoch, 2_000)) {
      assert.equal((await append(log, delta))[0]?.ok, true);
      texts[partIndex === 0 ? 0 : 1] += text;
      // At lengths of time that have nothing to do with how many are added together.
      if (texts[0].length % 89 !== 0) continue;
      const { accumulators, complete } = await stateOf(log, topic);
      const found = accumulators.toSorted((a, b) => a.partIndex - b.partIndex).map((part) => part.text);
      assert.deepEqual([found, complete], [texts.filter((whole) => whole !== ""), true]);
      asked++;
    }
    assert.ok(asked > 10, `asked ${asked} times`);
    await log.close();
  });
}

test("[L9] a topic that lies idle with subscribers keeps the text of its growing parts", async () => {
  let now = 0;
  const log = new MemoryEventLog({ now: () => now });
  const topic = newTopic();
  const epoch = await opened(log, topic);
  log.subscribe(topic, () => {});
  let whole = "";
  for (const { partIndex, text, append: delta } of growing(topic, epoch, 9)) {
    await append(log, delta);
    if (partIndex === 0) whole += text;
  }
  now += HOUR + 1;
  const { accumulators } = await stateOf(log, topic);
  assert.equal(accumulators.find(({ partIndex }) => partIndex === 0)?.text, whole);
  await log.close();
});

test("[L2] a closed log takes no calls", async () => {
  const log = new MemoryEventLog();
  await log.close();
  await assert.rejects(log.append([]), { code: "UNAVAILABLE" });
  await assert.rejects(log.state("conversation:1"), { code: "UNAVAILABLE" });
});
