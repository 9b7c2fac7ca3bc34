import assert from "node:assert/strict";
import { test } from "node:test";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import { EventRing, MAX_EVENTS } from "./event-ring.ts";

const event = (seq: number, messageId = `m${seq}`) => ({
  epoch: "e",
  seq,
  ts: "2026-01-01T00:00:00.000Z",
  event: { type: "TEXT_MESSAGE_END", messageId } as unknown as ParleyEvent,
});

test("keeps the newest events, says how many are gone, and finds by name and by what is in them", () => {
  const ring = new EventRing();
  for (let seq = 1; seq <= MAX_EVENTS + 20; seq++) ring.add(event(seq));
  assert.equal(ring.items.length, MAX_EVENTS);
  assert.equal(ring.dropped.value, 20);
  assert.equal(ring.items[0]?.seq, 21);
  assert.deepEqual(
    ring.matching("M52", 10).map(({ seq }) => seq),
    [520, 52],
  );
  assert.equal(ring.matching("text_message", 7).length, 7);
  ring.clear();
  assert.deepEqual([ring.items.length, ring.dropped.value], [0, 0]);
});

test("paused, it shows what was there, counts what comes, and has it when it goes on", () => {
  const ring = new EventRing();
  ring.add(event(1));
  ring.pause(true);
  const changes = ring.changes.value;
  for (let seq = 2; seq < 5; seq++) ring.add(event(seq));
  assert.deepEqual([ring.items.length, ring.missed.value, ring.changes.value], [1, 3, changes]);
  ring.pause(false);
  assert.deepEqual([ring.items.length, ring.missed.value], [4, 0]);
});
