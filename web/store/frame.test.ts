import assert from "node:assert/strict";
import { test } from "node:test";
import { coalesce } from "./frame.ts";

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
