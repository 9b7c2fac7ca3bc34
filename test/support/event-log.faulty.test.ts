import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryEventLog } from "../../src/adapters/event-log.memory.ts";
import { eventLogContract } from "../contracts/event-log.ts";
import { append, newTopic, opened, told, unfenced } from "./event-log-appends.ts";
import { ALL_FAULTS, FaultyEventLog, NO_FAULTS } from "./event-log.faulty.ts";

for (const seed of [1, 2, 3]) {
  eventLogContract(`faulty, seed ${seed}`, () => {
    let now = Date.now();
    return {
      log: new FaultyEventLog(() => new MemoryEventLog({ now: () => now }), seed),
      reliable: false,
      idle: () => {
        now += 3_600_001;
      },
    };
  });
}

test("each fault of a faulty log happens", async () => {
  for (const kind of ["refused", "lostReply", "late", "delayed"] as const) {
    const log = new FaultyEventLog(() => new MemoryEventLog(), 1, NO_FAULTS);
    const topic = newTopic();
    await opened(log, topic);
    log.faults = { ...NO_FAULTS, [kind]: 1 };
    const answered = await log.append([unfenced(topic, "a")]).then(
      () => true,
      () => false,
    );
    log.faults = NO_FAULTS;
    const atOnce = (await log.state(topic))?.seq;
    for (let turns = 0; turns < 6; turns++) await new Promise((resolve) => setImmediate(resolve));
    const later = (await log.state(topic))?.seq;
    assert.deepEqual(
      [answered, atOnce, later],
      { refused: [false, 0, 0], lostReply: [false, 1, 1], late: [false, 0, 1], delayed: [true, 1, 1] }[kind],
      kind,
    );
    await log.close();
  }
});

test("publications of a faulty log are lost, doubled and reordered", async () => {
  const log = new FaultyEventLog(() => new MemoryEventLog(), 5, ALL_FAULTS);
  const topic = newTopic();
  await opened(log, topic);
  const heard: number[] = [];
  log.subscribe(topic, ({ entries }) => heard.push(...entries.map((entry) => entry.seq)));
  for (let i = 0; i < 200; i++) await append(log, unfenced(topic, `${i}`));
  for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(new Set(heard).size < 200, "some are lost");
  assert.ok(heard.length > new Set(heard).size, "some are doubled");
  assert.notDeepEqual(
    heard,
    heard.toSorted((a, b) => a - b),
  );
  await log.close();
});

test("a restarted faulty log has forgotten its topics and kept its subscribers", async () => {
  const log = new FaultyEventLog(() => new MemoryEventLog(), 1, NO_FAULTS);
  const topic = newTopic();
  await opened(log, topic);
  const heard: string[] = [];
  const stop = log.subscribe(topic, ({ epoch }) => heard.push(epoch));
  await log.restart();
  assert.deepEqual((await append(log, unfenced(topic, "a"))).map(told), ["NO_EPOCH"]);
  const epoch = await opened(log, topic);
  await append(log, unfenced(topic, "a"));
  stop();
  await append(log, unfenced(topic, "b"));
  assert.deepEqual(heard, [epoch]);
  await log.close();
});
