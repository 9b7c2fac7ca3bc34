import assert from "node:assert/strict";
import { test } from "node:test";
import { blocksOf } from "./blocks.ts";

test("calls that follow each other stand together, everything else by itself", () => {
  const shown = blocksOf(["reasoning", "tool", "tool", "text", "text", "tool", "file"]);
  assert.deepEqual(
    shown.map(({ kind, from, to }) => [kind, from, to]),
    [
      ["reasoning", 0, 1],
      ["tool", 1, 3],
      ["text", 3, 4],
      ["text", 4, 5],
      ["tool", 5, 6],
      ["file", 6, 7],
    ],
  );
  assert.deepEqual(blocksOf([]), []);
});
