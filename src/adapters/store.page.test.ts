import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Message } from "../protocol/shapes.ts";
import { cutMessage, fitPage, fittingLength, partsBytes } from "./store.page.ts";

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Text with what JSON escapes and what takes one to four bytes in UTF-8. */
const text = fc
  .array(fc.constantFrom("a", '"', "\\", "\n", "\u0001", "\u007f", "é", "中", "🌍", "\u2028"), { maxLength: 200 })
  .map((units) => units.join(""));

const message = (texts: readonly string[], id = "m"): Message => ({
  id,
  conversationId: "c",
  parentId: null,
  role: "user",
  author: "u",
  parts: texts.map((part) => ({ type: "text", text: part })),
  status: "complete",
  createdAt: "2026-01-01T00:00:00.000Z",
  runId: null,
});

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

test("a message that fits is itself; a cut one has beginnings of its parts and their lengths", () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), fc.integer({ min: 400, max: 1_500 }), (texts, maxBytes) => {
      const whole = message(texts);
      const cut = cutMessage(whole, maxBytes);
      if (bytes(whole) <= maxBytes) {
        assert.equal(cut, whole);
        return;
      }
      assert(bytes(cut) <= maxBytes);
      assert.equal(cut.parts.length, texts.length);
      for (const [i, part] of cut.parts.entries()) {
        assert(texts[i]!.startsWith(part.text));
        assert.equal(part.length, part.text === texts[i] ? undefined : texts[i]!.length);
      }
    }),
  );
});

test("a page is the newest messages in reading order, bounded, whole but for the oldest, never empty", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 8_000 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 30_000 }),
      (lengths, maxBytes) => {
        const newestFirst = lengths.map((length, i) => message(["x".repeat(length)], `m${i}`));
        const page = fitPage(newestFirst, maxBytes);
        assert(page.length > 0);
        assert.deepEqual(
          page.map(({ id }) => id).toReversed(),
          newestFirst.slice(0, page.length).map(({ id }) => id),
        );
        assert(bytes(page) <= Math.max(maxBytes, 2_048) + 2_048);
        for (const whole of page.slice(1)) assert.equal(whole.parts[0]?.length, undefined);
      },
    ),
  );
});

test("the size of parts is that of their JSON in UTF-8", () => {
  assert.equal(partsBytes(JSON.stringify([{ type: "text", text: "é🌍" }])), 31 + 2);
});
