import assert from "node:assert/strict";
import { test } from "node:test";
import { type Call, formatPoint, parsePoint, pointsOf } from "./point.ts";

const calls: readonly Call[] = [
  ["runs.claim"],
  ["log.append/START", "log.append/CONTENT"],
  ["log.append/CONTENT"],
  ["log.append/CONTENT"],
  ["log.append/CONTENT"],
  ["log.append/CONTENT"],
  ["runs.claim"],
];
const before = (which: Parameters<typeof pointsOf>[1]) =>
  pointsOf(calls, which)
    .map(formatPoint)
    .filter((point) => point.endsWith(":before"));

test("a point is read as it is written, and nothing else is", () => {
  const text = "log.append/RUN_STARTED:12:after";
  assert.equal(formatPoint(parsePoint(text)), text);
  for (const wrong of ["", "runs.commit", "runs.commit:0:after", "runs.commit:1:never", "a:1:after:2"]) {
    assert.throws(() => parsePoint(wrong), /Not a point/);
  }
});

test("the first, the middle and the last call of each name are met on both sides, a call of several names once", () => {
  assert.deepEqual(before("some"), [
    "log.append/START:1:before",
    "runs.claim:1:before",
    "runs.claim:2:before",
    "log.append/CONTENT:3:before",
    "log.append/CONTENT:5:before",
  ]);
  assert.equal(pointsOf(calls, "some").length, 10);
});

test("the first alone, and all", () => {
  assert.deepEqual(before("first"), ["log.append/START:1:before", "runs.claim:1:before"]);
  assert.equal(pointsOf(calls, "all").length, 2 * calls.length);
});
