/** The rules in the documents, and the tests that claim to prove them, are the same set. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import test from "node:test";

const root = new URL("..", import.meta.url).pathname;
const read = (file: string) => readFileSync(`${root}/${file}`, "utf8");

/** Rules of what is not built yet; each goes when its feature comes. */
const LATER = new Set(["L10", "R7", "R10"]);

function stated(file: string): string[] {
  return [...read(file).matchAll(/^### ([WLR]\d+) /gm)].map((match) => match[1] ?? "");
}

function proven(): Map<string, string[]> {
  const files = globSync("{src,handlers,web,test}/**/*.ts", { cwd: root }).filter(
    (file) => file !== "test/rules.test.ts",
  );
  const found = new Map<string, string[]>();
  for (const file of files) {
    // Only in names of tests: ids in comments prove nothing.
    for (const [, ids] of read(file).matchAll(/\b(?:test|it)\(\s*[`"']\s*((?:\[[WLR]\d+\])+)/g)) {
      for (const id of ids?.match(/[WLR]\d+/g) ?? []) found.set(id, [...(found.get(id) ?? []), file]);
    }
  }
  return found;
}

test("each rule stands in exactly one document, once", () => {
  const ids = [...stated("docs/PROTOCOL.md"), ...stated("docs/SPEC.md")];
  assert.deepEqual([...new Set(ids)].toSorted(), ids.toSorted());
  for (const [letter, count] of [
    ["W", 12],
    ["L", 11],
    ["R", 12],
  ] as const) {
    assert.equal(ids.filter((id) => id.startsWith(letter)).length, count);
  }
});

test("each rule of what is built is claimed by a test, and no test claims an unknown rule", () => {
  const rules = new Set([...stated("docs/PROTOCOL.md"), ...stated("docs/SPEC.md")]);
  const claims = proven();
  assert.deepEqual(
    [...claims.keys()].filter((id) => !rules.has(id)),
    [],
  );
  assert.deepEqual(
    [...rules].filter((id) => !LATER.has(id) && !claims.has(id)),
    [],
  );
});
