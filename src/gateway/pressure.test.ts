import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FLOWING,
  HIGH_WATER,
  LOW_WATER,
  MOST_BUFFERED,
  observe,
  type Pressure,
  type PressureChange,
  STALLED_MS,
} from "./pressure.ts";

/** What a peer does: [milliseconds since the start, bytes buffered then, what changes]. */
type Course = readonly (readonly [number, number, PressureChange])[];

const KIB = 1024;
const COURSES: Record<string, Course> = {
  "a peer that keeps up": [
    [0, 0, "none"],
    [10, HIGH_WATER, "none"],
    [20, 0, "none"],
  ],
  "pressed above 256 KiB, relieved at 64 KiB": [
    [0, HIGH_WATER + 1, "pressed"],
    [10, HIGH_WATER, "none"],
    [20, LOW_WATER + 1, "none"],
    [30, LOW_WATER, "relieved"],
    [40, HIGH_WATER, "none"],
  ],
  "10 s without a fall": [
    [0, 300 * KIB, "pressed"],
    [STALLED_MS - 1, 300 * KIB, "none"],
    [STALLED_MS, 300 * KIB, "too-slow"],
  ],
  "a slow peer that reads is never closed": [
    [0, 300 * KIB, "pressed"],
    [9_000, 299 * KIB, "none"],
    [18_000, 298 * KIB, "none"],
    [27_000, 297 * KIB, "none"],
    [36_000, 64 * KIB, "relieved"],
  ],
  "a fall counts though responses filled the buffer again": [
    [0, 300 * KIB, "pressed"],
    [5_000, 400 * KIB, "none"],
    [9_000, 390 * KIB, "none"],
    [18_000, 390 * KIB, "none"],
    [19_000, 390 * KIB, "too-slow"],
  ],
  "above 1 MiB": [
    [0, 300 * KIB, "pressed"],
    [1, MOST_BUFFERED, "none"],
    [2, MOST_BUFFERED + 1, "too-slow"],
  ],
  "above 1 MiB at once": [[0, MOST_BUFFERED + 1, "too-slow"]],
};

for (const [name, course] of Object.entries(COURSES)) {
  test(`[L7] ${name}`, () => {
    let pressure: Pressure = FLOWING;
    for (const [now, buffered, expected] of course) {
      const result = observe(pressure, buffered, now);
      assert.equal(result.change, expected, `${buffered} bytes at ${now} ms`);
      pressure = result.pressure;
    }
  });
}

test("a connection that flows allocates nothing", () => {
  assert.equal(observe(FLOWING, 0, 1), observe(FLOWING, 100, 2));
});
