import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ToolArgs } from "../../../src/protocol/shapes.ts";
import { fieldsOf, issuesOf, otherNames, readFields, readJson, sameArgs } from "./approval-form.ts";

const ARGS: ToolArgs = {
  name: "notes.txt",
  note: "line one\nline two",
  times: 3,
  force: true,
  list: [1, 2],
  nothing: null,
};

test("simple values have fields, the rest is for JSON", () => {
  assert.deepEqual(fieldsOf(ARGS), [
    { name: "name", kind: "text", value: "notes.txt" },
    { name: "note", kind: "long", value: "line one\nline two" },
    { name: "times", kind: "number", value: "3" },
    { name: "force", kind: "boolean", value: "true" },
  ]);
  assert.deepEqual(otherNames(ARGS), ["list", "nothing"]);
});

test("fields are read back in their types, and say what is no number", () => {
  assert.deepEqual(readFields(ARGS, { name: "other.txt", times: " 4.5 ", force: "false" }), {
    ok: true,
    args: { ...ARGS, name: "other.txt", times: 4.5, force: false },
  });
  for (const times of ["", "four", "NaN", "Infinity", "1e999"]) {
    assert.deepEqual(readFields(ARGS, { times }), {
      ok: false,
      issues: new Map([["times", "A number, for example 12 or 0.5"]]),
    });
  }
});

test("fields that nobody touched change nothing, whatever the arguments are called", () => {
  const args = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(args, (given) => {
      const values = Object.fromEntries(fieldsOf(given).map(({ name, value }) => [name, value]));
      const read = readFields(given, values);
      assert.ok(read.ok && sameArgs(read.args, given));
    }),
  );
});

test("JSON that is none, or no object, is said so", () => {
  assert.deepEqual(readJson('{"a": [1]}'), { ok: true, args: { a: [1] } });
  for (const text of ["[1]", "1", "null", '"x"']) {
    const read = readJson(text);
    assert.ok(!read.ok);
    assert.match(read.issues.get("") ?? "", /JSON object/);
  }
  const broken = readJson("{a}");
  assert.ok(!broken.ok);
  assert.match(broken.issues.get("") ?? "", /^This is no JSON: /);
});

test("arguments are the same by what they say, not by their order", () => {
  assert.ok(sameArgs({ a: 1, b: { c: [1, null] } }, { b: { c: [1, null] }, a: 1 }));
  for (const other of [{ a: 1 }, { a: 1, b: undefined }, { a: [1] }, { a: { 0: 1 } }, { a: "1" }, null]) {
    assert.ok(!sameArgs({ a: 1, b: 2 }, other));
  }
  assert.ok(!sameArgs({ list: [1] }, { list: { 0: 1 } }));
});

test("what the server says is wrong stands at its field, or above all", () => {
  assert.deepEqual(
    issuesOf(
      [
        { path: "args.name", expected: "a name" },
        { path: "args.list.0", expected: "a text" },
        { path: "args", expected: "something else" },
      ],
      ["name", "times"],
    ),
    new Map([
      ["name", "a name"],
      ["", "a text something else"],
    ]),
  );
});
