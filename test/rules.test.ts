/** The rules in the documents, and the tests that claim to prove them, are the same set. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import test from "node:test";

const root = new URL("..", import.meta.url).pathname;
const read = (file: string) => readFileSync(`${root}/${file}`, "utf8");

/** Rules of what is not built yet; each goes when its feature comes. */
const LATER = new Set(["R10"]);

function stated(file: string): string[] {
  return [...read(file).matchAll(/^### ([WLR]\d+) /gm)].map((match) => match[1] ?? "");
}

/** A rule's ids at the start of a name, or behind what a contract suite puts before it: `[W5]`, `[L6][L7]`, `[L6, L7]`. */
const CLAIM = /\[([WLR]\d+(?:, [WLR]\d+)*)\]/g;

function proven(): Map<string, string[]> {
  const files = globSync(["{src,handlers,web}/**/*.test.ts", "test/**/*.ts"], { cwd: root });
  const found = new Map<string, string[]>();
  for (const file of files) {
    // Tests are named by the first argument of `test`, `it`, or a helper of theirs: ids in comments prove nothing.
    for (const [, , name = ""] of read(file).matchAll(/\w\(\s*([`"'])((?:(?!\1)[^\\\n]|\\.)*)\1/g)) {
      for (const [, ids = ""] of name.matchAll(CLAIM)) {
        for (const id of ids.split(", ")) found.set(id, [...(found.get(id) ?? []), file]);
      }
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

test("what is claimed in a contract suite and by a list of ids is found", () => {
  const claims = proven();
  assert.ok(claims.get("L4")?.includes("test/contracts/event-log.ts"));
  assert.ok(claims.get("W8")?.includes("test/contracts/connection.ts"));
  assert.ok(claims.get("W5")?.includes("test/delivery-model.test.ts"));
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
