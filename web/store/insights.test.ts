import assert from "node:assert/strict";
import { test } from "node:test";
import type { Result } from "../../src/protocol/methods.ts";
import { InsightsStore, RANGES, timesOf } from "./insights.ts";

test("spans follow each other to the end of the hour or day that it is, and are few enough to ask for", () => {
  const now = new Date(2026, 2, 29, 14, 35);
  for (const range of RANGES) {
    const times = timesOf(range, now);
    assert.ok(times.length >= 2 && times.length <= 201);
    assert.ok(times.every((time, i) => i === 0 || time > (times[i - 1] ?? time)));
    const [from, to] = [times.at(-2), times.at(-1)];
    assert.ok(from !== undefined && to !== undefined && from <= now && now < to, range);
  }
  assert.equal(timesOf("month", now)[0]?.getHours(), 0);
  const week = timesOf("week", now);
  assert.equal(week.length, 29);
  assert.deepEqual(new Set(week.map((time) => time.getHours())), new Set([0, 6, 12, 18]));
});

test("what answers an older question is not shown", async () => {
  const answers: ((result: Result<"insights.get">) => void)[] = [];
  const call = () => new Promise((resolve) => answers.push(resolve as never));
  const store = new InsightsStore({ call: call as never });
  store.load();
  store.choose("day");
  answers[1]?.({ insights: { newest: true } as never });
  answers[0]?.({ insights: { newest: false } as never });
  await new Promise((resolve) => setImmediate(resolve));
  const state = store.state.value;
  assert.ok(state.kind === "ready" && state.times.length === 25);
  assert.deepEqual(state.insights, { newest: true });
});
