import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ToolStatus } from "../../../src/protocol/shapes.ts";
import { GROUPED, groupWords, isFinished, segmentsOf } from "./tool-groups.ts";

const done = "completed";
const shape = (...statuses: ToolStatus[]) => segmentsOf(statuses).map(({ from, to, grouped }) => [from, to, grouped]);

test("three or more finished calls in a row are one line, fewer are not", () => {
  assert.deepEqual(shape(), []);
  assert.deepEqual(shape(done, done), [
    [0, 1, false],
    [1, 2, false],
  ]);
  assert.deepEqual(shape(done, "failed", "denied"), [[0, 3, true]]);
  assert.deepEqual(shape(done, done, done, "running", done, done), [
    [0, 3, true],
    [3, 4, false],
    [4, 5, false],
    [5, 6, false],
  ]);
});

const status = fc.constantFrom<ToolStatus[]>(
  "streaming",
  "pending",
  "waiting",
  "running",
  "completed",
  "failed",
  "denied",
  "stopped",
);

test("segments hold every call once, in order; a group holds finished ones, and as many as there are", () => {
  fc.assert(
    fc.property(fc.array(status, { maxLength: 20 }), (statuses) => {
      let next = 0;
      for (const { from, to, grouped } of segmentsOf(statuses)) {
        assert.equal(from, next);
        assert.ok(to > from);
        next = to;
        if (!grouped) continue;
        assert.ok(to - from >= GROUPED && statuses.slice(from, to).every(isFinished));
        assert.ok(statuses[to] === undefined || !isFinished(statuses[to]));
      }
      assert.equal(next, statuses.length);
    }),
  );
});

test("a group says how many ran, for how long, and what went wrong", () => {
  const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`;
  const ran = (from: number, to: number, how: ToolStatus = "completed") => ({
    status: how,
    startedAt: at(from),
    finishedAt: at(to),
  });
  assert.deepEqual(groupWords([ran(1, 3), ran(1, 9, "failed"), ran(2, 4)]), {
    title: "Ran 3 tools",
    ms: 8_000,
    failed: 1,
    denied: 0,
  });
  assert.equal(groupWords([{ status: "denied" }, ran(1, 2), { status: "stopped" }]).title, "Ran 1 tool");
  assert.deepEqual(groupWords([{ status: "denied" }, { status: "denied" }, { status: "stopped" }]), {
    title: "3 tools did not run",
    ms: 0,
    failed: 0,
    denied: 2,
  });
});
