import assert from "node:assert/strict";
import { test } from "node:test";
import { retryAfterMs } from "./retry-after.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const read = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), NOW);

test("seconds, fractions of them, milliseconds and dates are read, the exact one first", () => {
  for (const [headers, expected] of [
    [{ "retry-after": "30" }, 30_000],
    [{ "retry-after": " 1.5 " }, 1500],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after-ms": "250", "retry-after": "30" }, 250],
    [{ "retry-after-ms": "soon", "retry-after": "2" }, 2000],
    [{ "retry-after": "Sat, 21 Nov 2026 12:00:07 GMT" }, 7000],
    [{ "retry-after": "Sat, 21 Nov 2026 11:00:00 GMT" }, 0],
  ] as const) {
    assert.equal(read(headers), expected, JSON.stringify(headers));
  }
});

test("what is not understood is nothing", () => {
  for (const value of ["", "soon", "-5", "1e9", "NaN", "Infinity"]) {
    assert.equal(read({ "retry-after": value }), undefined, value);
  }
  assert.equal(retryAfterMs(undefined), undefined);
  assert.equal(read({}), undefined);
});
