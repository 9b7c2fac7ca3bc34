import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonBytes, jsonFit } from "./json-text.ts";

/** All kinds of text, lone surrogates included. */
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
const richText = fc.oneof(
  anyText,
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("a", '"', "\n", "\u0001", "é", "€", "😀") }),
);

test("[W11] a piece of text fits its bytes as JSON, and one more character would not", () => {
  fc.assert(
    fc.property(richText, fc.nat(60), fc.nat(100), (text, maxBytes, start) => {
      let from = Math.min(start, text.length);
      if (isInsidePair(text, from)) from--;
      const end = jsonFit(text, from, maxBytes);
      const bytes = (to: number) => jsonBytes(text.slice(from, to)) - 2;
      assert.ok(bytes(end) <= maxBytes);
      assert.ok(!isInsidePair(text, end), "inside a surrogate pair");
      if (end < text.length) {
        const next = end + (isInsidePair(text, end + 1) ? 2 : 1);
        assert.ok(bytes(next) > maxBytes, `${next} would fit`);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a piece has at most the units it may have, and ends before a pair that it would split", () => {
  assert.equal(jsonFit("abcdef", 1, 100, 3), 4);
  assert.equal(jsonFit("ab😀cd", 0, 100, 3), 2);
  assert.equal(jsonFit("ab😀cd", 0, 100, 4), 4);
});

function isInsidePair(text: string, at: number): boolean {
  return /[\ud800-\udbff]/.test(text[at - 1] ?? "") && /[\udc00-\udfff]/.test(text[at] ?? "");
}
