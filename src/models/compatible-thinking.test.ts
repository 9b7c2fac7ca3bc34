import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createThinkingSplitter } from "./compatible-thinking.ts";

function split(deltas: readonly string[]): { text: string; reasoning: string } {
  const out = { text: "", reasoning: "" };
  const splitter = createThinkingSplitter(
    (delta) => void (out.text += delta),
    (delta) => void (out.reasoning += delta),
  );
  for (const delta of deltas) splitter.push(delta);
  splitter.end();
  return out;
}

for (const [answer, reasoning, text] of [
  ["42", "", "42"],
  ["<think>Hm.</think>42", "Hm.", "42"],
  ["\n <think>\nHm.\n\n5 < 6\n</think>\n\n42\n", "Hm.\n\n5 < 6", "42\n"],
  ["<think></think>42", "", "42"],
  ["<think>Hm", "Hm", ""],
  ["<think>Hm </thin", "Hm </thin", ""],
  ["a <think>b</think>", "", "a <think>b</think>"],
  ["Hm.</think>42", "", "Hm.</think>42"],
  ["<think>a</think>b<think>c</think>", "a", "b<think>c</think>"],
  [" \n42", "", " \n42"],
  ["<thinking>", "", "<thinking>"],
  ["\n\n", "", ""],
] as const) {
  test(`thinking in ${JSON.stringify(answer)}`, () => {
    assert.deepEqual(split([answer]), { text, reasoning });
    assert.deepEqual(split(answer.split("")), { text, reasoning });
  });
}

test("thinking is found however the answer is cut, and nothing of it is lost", () => {
  const piece = fc.constantFrom("<think>", "</think>", "<", "</", "thi", "nk>", "Hm. ", " ", "\n", "42");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const whole = split([pieces.join("")]);
      assert.deepEqual(split(pieces), whole);
      const letters = (value: string) => value.replaceAll(/\s/g, "");
      const shown = letters(whole.reasoning + whole.text).length;
      const tags = letters(pieces.join("")).length - shown;
      assert.ok(tags === 0 || tags === "<think>".length || tags === "<think></think>".length, String(tags));
    }),
  );
});

test("thinking that is told elsewhere leaves the text as it is", () => {
  let text = "";
  const splitter = createThinkingSplitter((delta) => void (text += delta), assert.fail);
  splitter.push("<th");
  splitter.off();
  splitter.push("ink>");
  splitter.end();
  assert.equal(text, "<think>");
});
