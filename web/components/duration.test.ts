import assert from "node:assert/strict";
import { test } from "node:test";
import { durationText, inText } from "./duration.ts";

test("durations are said as people say them", () => {
  const cases: readonly (readonly [number, string | undefined])[] = [
    [Number.NaN, undefined],
    [-5, undefined],
    [499, undefined],
    [500, "1 s"],
    [8_400, "8 s"],
    [59_700, "1 min"],
    [65_000, "1 min 5 s"],
    [3_600_000, "1 h"],
    [7_380_000, "2 h 3 min"],
  ];
  for (const [ms, text] of cases) assert.equal(durationText(ms), text, String(ms));
});

test("a deadline is told in minutes until the last one, and never as past", () => {
  const cases: readonly (readonly [number, string])[] = [
    [-1, "in 0 s"],
    [44_100, "in 45 s"],
    [60_000, "in 1 min"],
    [540_000, "in 9 min"],
    [7_200_000, "in 2 h"],
  ];
  for (const [ms, text] of cases) assert.equal(inText(ms), text);
});
