import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { aMessage, anApproval, aToolPart, textOf, wholeLength } from "../../test/support/shapes.fake.ts";
import { readableText } from "../protocol/cut-part.ts";
import type { Part } from "../protocol/shapes.ts";
import { cutMessage, fitApprovals, fitPage, fittingLength, partsBytes } from "./store.page.ts";

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Text with what JSON escapes and what takes one to four bytes in UTF-8. */
const text = fc
  .array(fc.constantFrom("a", '"', "\\", "\n", "\u0001", "\u007f", "é", "中", "🌍", "\u2028"), { maxLength: 200 })
  .map((units) => units.join(""));

test("the fitting length is the longest beginning that fits, never inside a pair", () => {
  fc.assert(
    fc.property(text, fc.nat(300), (whole, maxBytes) => {
      const length = fittingLength(whole, maxBytes);
      const beginning = whole.slice(0, length);
      assert(beginning.isWellFormed());
      assert(bytes(beginning) - 2 <= maxBytes);
      if (length === whole.length) return;
      const next = whole.slice(0, length + ((whole.codePointAt(length) ?? 0) > 0xffff ? 2 : 1));
      assert(bytes(next) - 2 > maxBytes);
    }),
  );
});

const part = fc.oneof(
  text.map((value): Part => ({ type: "text", text: value })),
  text.map((value): Part => ({ type: "reasoning", text: value })),
  fc
    .record({ words: text, result: text, error: text })
    .map(({ words, result, error }): Part => aToolPart({ args: { words }, status: "failed", result, error })),
  fc.constant<Part>({ type: "file", fileId: "f", name: "plan.pdf", mediaType: "application/pdf", size: 1 }),
);

test("a message that fits is itself; a cut one has beginnings of its texts, bare tool calls, and their lengths", () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), fc.integer({ min: 2_400, max: 3_500 }), (parts, maxBytes) => {
      const whole = aMessage({ parts });
      const cut = cutMessage(whole, maxBytes);
      if (bytes(whole) <= maxBytes) {
        assert.equal(cut, whole);
        return;
      }
      assert(bytes(cut) <= maxBytes);
      assert.equal(cut.parts.length, parts.length);
      for (const [i, found] of cut.parts.entries()) {
        const before = parts[i]!;
        if (isDeepStrictEqual(found, before)) continue;
        assert.equal(wholeLength(found), readableText(before).length);
        assert.equal(found.type, before.type);
        if (found.type === "tool") assert.deepEqual([found.args, found.result], [{}, undefined]);
        else assert(textOf(before).startsWith(textOf(found)));
      }
    }),
  );
});

test("what was cut before keeps the length of the whole", () => {
  const once = cutMessage(aMessage({ parts: [{ type: "text", text: "x".repeat(9_000) }] }), 4_000);
  const twice = cutMessage(once, 2_000);
  assert.equal(wholeLength(twice.parts[0]), 9_000);
  assert(textOf(once.parts[0]).length > textOf(twice.parts[0]).length);
});

test("questions lose their arguments from where these no longer fit, and none is left out", () => {
  const questions = ["a", "b", "c"].map((id, i) =>
    anApproval({ id, args: { text: "x".repeat(i === 1 ? 5_000 : 10) } }),
  );
  assert.deepEqual(fitApprovals(questions, 10_000), questions);
  const [first, second, third] = fitApprovals(questions, 3_000);
  assert.deepEqual([first, second, third], [questions[0], { ...questions[1], args: {} }, questions[2]]);
  assert.deepEqual(
    fitApprovals(questions, 0).map(({ id, args }) => [id, args]),
    [
      ["a", {}],
      ["b", {}],
      ["c", {}],
    ],
  );
});

test("a page is the newest messages in reading order, bounded, whole but for the oldest, never empty", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 8_000 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 30_000 }),
      (lengths, maxBytes) => {
        const newestFirst = lengths.map((length, i) =>
          aMessage({ id: `m${i}`, parts: [{ type: "text", text: "x".repeat(length) }] }),
        );
        const page = fitPage(newestFirst, maxBytes);
        assert(page.length > 0);
        assert.deepEqual(
          page.map(({ id }) => id).toReversed(),
          newestFirst.slice(0, page.length).map(({ id }) => id),
        );
        assert(bytes(page) <= Math.max(maxBytes, 2_048) + 2_048);
        for (const whole of page.slice(1)) assert.equal(wholeLength(whole.parts[0]), undefined);
      },
    ),
  );
});

test("the size of parts is that of their JSON in UTF-8", () => {
  assert.equal(partsBytes(JSON.stringify([{ type: "text", text: "é🌍" }])), 31 + 2);
});
