import assert from "node:assert/strict";
import { test } from "node:test";
import { styledText } from "./math-letters.ts";

test("letters take their style, also those that Unicode had before", () => {
  assert.equal(styledText("RxN1", "double-struck"), "ℝ𝕩ℕ𝟙");
  assert.equal(styledText("Lx", "script"), "ℒ𝓍");
  assert.equal(styledText("αΩ", "bold-italic"), "𝜶𝜴");
  assert.equal(styledText("hé+", "italic"), "ℎé+");
  assert.equal(styledText("ab", "unknown"), "ab");
});
