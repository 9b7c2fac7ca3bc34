import assert from "node:assert/strict";
import { test } from "node:test";
import { piecesOf } from "./marked.ts";

const shown = (text: string, query: string): string =>
  piecesOf(text, query)
    .map((piece) => (piece.hit ? `[${piece.text}]` : piece.text))
    .join("");

test("the words that were looked for are marked, whatever their case and whatever they mean to a pattern", () => {
  assert.equal(shown("The kettle and the CAT", "cat KETTLE"), "The [kettle] and the [CAT]");
  assert.equal(shown("cats", "cat cats"), "[cats]");
  assert.equal(shown("Über über", "ÜBER"), "[Über] [über]");
  assert.equal(
    shown("1 + 1 (two) [x] a.b \\d $ ^ / - {", "+ (two) [x] . \\d $ ^ / - {"),
    "1 [+] 1 [(two)] [[x]] a[.]b [\\d] [$] [^] [/] [-] [{]",
  );
  assert.equal(shown("nothing", "  "), "nothing");
  assert.equal(shown("", "x"), "");
});
