import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { statement, toJson, valuesOf } from "./statement.ts";

test("a statement is text with numbered parameters; values go in by name, each time one is named", () => {
  const find = statement<{ id: string; limit: number }, unknown>(
    "find",
    (p) => sql`select * from t where a = ${p.id} and b <> ${p.id} limit ${p.limit}`,
  );
  assert.equal(find.text, "select * from t where a = $1 and b <> $2 limit $3");
  assert.deepEqual(valuesOf(find, { limit: 5, id: "x" }), ["x", "x", 5]);
});

for (const [what, value, stored] of [
  ["plain text", "a", "a"],
  ["U+0000", "a\0b\0", "a\ufffdb\ufffd"],
  ["lone surrogates", "\ud800x\udc00", "\ufffdx\ufffd"],
  ["a pair", "🌍", "🌍"],
  ["the text of an escape", "\\u0000", "\\u0000"],
  ["a backslash before U+0000", "\\\0", "\\\ufffd"],
  ["a control character", "\u0001\n", "\u0001\n"],
] as const) {
  test(`JSON for a column: ${what}, also deep inside`, () => {
    assert.deepEqual(JSON.parse(toJson({ deep: [{ value }] })), { deep: [{ value: stored }] });
    assert.deepEqual(JSON.parse(toJson({ deep: [{ [value]: 1 }] })), { deep: [{ [stored]: 1 }] });
  });
}

test("JSON for a column keeps every text's length and leaves nothing that jsonb refuses", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const stored = JSON.parse(toJson({ text })) as { text: string };
      assert.equal(stored.text.length, text.length);
      assert(stored.text.isWellFormed() && !stored.text.includes("\0"));
    }),
  );
});
