import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { encodeResult, MIN_RESULT_BYTES, plainText } from "./execute-result.ts";

const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

for (const [what, value, expected] of [
  ["nothing", undefined, null],
  ["a text", "ok", "ok"],
  ["a number that JSON has no word for", { a: NaN, b: Infinity }, { a: null, b: null }],
  ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
  ["what only a program has", { f: () => 1, s: Symbol("s"), u: undefined, a: 1 }, { a: 1 }],
  ["U+0000 and lone surrogates, in names too", { "a\0": ["\ud800x", "🌍"] }, { "a\ufffd": ["\ufffdx", "🌍"] }],
  ["the text of an escape", "\\u0000 \\ud800", "\\u0000 \\ud800"],
] as const) {
  test(`a result becomes plain JSON: ${what}`, () => {
    assert.deepEqual(encodeResult(value, 1_000), expected);
  });
}

test("what is no JSON throws", () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  assert.throws(() => encodeResult(circle, 1_000), TypeError);
  assert.throws(() => encodeResult({ n: 1n }, 1_000), TypeError);
});

test("a text that is too long is cut, with a notice that says so", () => {
  const cut = encodeResult("x".repeat(10_000), 300);
  assert.ok(typeof cut === "string");
  assert.match(cut, /^x{200,}\n\[Cut here\. The whole result has 10002 bytes, and this tool may give 300\.\]$/);
  assert.ok(bytes(cut) <= 300);
});

test("any other result is cut in its JSON", () => {
  const cut = encodeResult({ rows: Array.from({ length: 1_000 }, (_, i) => ({ i })) }, 300);
  assert.ok(typeof cut === "string");
  assert.match(cut, /^\{"rows":\[\{"i":0\},/);
  assert.match(cut, /\n\[Cut here\. /);
  assert.ok(bytes(cut) <= 300);
});

test("whatever it is, it ends below its limit and is well-formed", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: "binary", maxLength: 2_000 }), fc.jsonValue()),
      fc.integer({ min: MIN_RESULT_BYTES, max: 600 }),
      (value, max) => {
        const encoded = encodeResult(value, max);
        const json = JSON.stringify(encoded);
        assert.ok(Buffer.byteLength(json) <= max);
        assert.ok(json.isWellFormed() && !JSON.stringify(encoded).includes("\\u0000"));
        assert.deepEqual(encodeResult(encoded, max), encoded);
      },
    ),
  );
});

test("a text for people is cut at its length, not within a pair", () => {
  assert.equal(plainText("short", 10), "short");
  assert.equal(plainText("0123456789x", 10), "012345678…");
  assert.equal(plainText("01234567🌍x", 10), "01234567…");
  assert.equal(plainText("a\0b\ud800", 10), "a\ufffdb\ufffd");
});
