import assert from "node:assert/strict";
import { test } from "node:test";
import { byAge } from "./by-age.ts";

const now = new Date(2026, 10, 21, 9, 0);

const at = (id: string, ...time: [year: number, month: number, day: number, hour: number]) => {
  const iso = new Date(...time).toISOString();
  return { id, title: id, model: null, headMessageId: null, createdAt: iso, updatedAt: iso };
};

test("conversations fall into the reader's own days", () => {
  const groups = byAge(
    [
      at("ahead", 2026, 10, 21, 23),
      at("morning", 2026, 10, 21, 0),
      at("evening", 2026, 10, 20, 23),
      at("six days", 2026, 10, 15, 12),
      at("three weeks", 2026, 9, 31, 12),
      at("last year", 2025, 5, 1, 12),
    ],
    now,
  );
  assert.deepEqual(
    groups.map(({ label, items }) => [label, items.map(({ id }) => id)]),
    [
      ["Today", ["ahead", "morning"]],
      ["Yesterday", ["evening"]],
      ["Last 7 days", ["six days"]],
      ["Last 30 days", ["three weeks"]],
      ["Older", ["last year"]],
    ],
  );
});

test("groups without conversations are not there", () => assert.deepEqual(byAge([], now), []));
