import assert from "node:assert/strict";
import { test } from "node:test";
import { coalesce, restfully } from "./frame.ts";

test("asked for often, it runs once a frame", () => {
  const frames: (() => void)[] = [];
  let runs = 0;
  const ask = coalesce(
    () => runs++,
    (work) => frames.push(work),
  );
  for (let i = 0; i < 100; i++) ask();
  assert.equal(frames.length, 1);
  frames[0]?.();
  assert.equal(runs, 1);
  ask();
  assert.equal(frames.length, 2);
});

test("asked for while it runs, it runs again", () => {
  const frames: (() => void)[] = [];
  const ask = coalesce(
    () => frames.length < 2 && ask(),
    (work) => frames.push(work),
  );
  ask();
  frames[0]?.();
  assert.equal(frames.length, 2);
});

test("after a frame that took long the next one waits twice as long, and at most 100 ms", () => {
  let time = 1_000;
  const frames: (() => void)[] = [];
  const timers: { readonly work: () => void; readonly at: number }[] = [];
  const schedule = restfully({
    now: () => time,
    frame: (work) => frames.push(work),
    later: (work, ms) => timers.push({ work, at: time + ms }),
  });
  const draw = (ms: number): void => {
    frames.shift()?.();
    time += ms;
    timers.shift()?.work();
  };
  schedule(() => undefined);
  assert.equal(frames.length, 1, "the first one comes at once");
  draw(12);
  time += 4;
  schedule(() => undefined);
  assert.equal(frames.length, 0);
  assert.equal(timers[0]?.at, time + 20);
  time += 20;
  timers.shift()?.work();
  draw(400);
  schedule(() => undefined);
  assert.equal(timers[0]?.at, time + 100);
  time += 100;
  timers.shift()?.work();
  draw(1);
  time += 2;
  schedule(() => undefined);
  assert.equal(frames.length, 1, "a short rest is over");
});
