import assert from "node:assert/strict";
import { test } from "node:test";
import { codeSlices } from "./highlight.ts";

/** Without those of nothing, in which a language is prepared. */
const slicesOf = (code: string, grammar: string) => [...codeSlices(code, grammar)].filter(({ length }) => length > 0);

test("the runs of a code are its text, in order, whatever the slices", () => {
  const part = 'function f(a) {\n  const s = `x ${a + 1} y`; // note\n  return { s, n: 12, r: /a"b/ };\n}\n\n';
  const code = part.repeat(200);
  const slices = slicesOf(code, "typescript");
  assert.ok(slices.length > 5);
  assert.equal(slices.flat().map(({ text }) => text).join(""), code); // prettier-ignore
  const runs = slices[0] ?? [];
  assert.deepEqual(
    runs
      .filter(({ text }) => ["function", "// note", "12"].includes(text))
      .map(({ kind }) => kind)
      .slice(0, 3),
    ["word", "comment", "value"],
  );
});

test("a string of many lines is never cut into code", () => {
  const code = `x = """\n${"def not_code():\n    pass\n\n".repeat(150)}"""\n${"y = 1\n".repeat(500)}`;
  const runs = slicesOf(code, "python").flat();
  assert.equal(runs.map(({ text }) => text).join(""), code);
  assert.equal(runs.filter(({ kind, text }) => kind === "word" && text === "def").length, 0);
});

test("markup inside of code is text, also that of another language inside of it", () => {
  const code = '<script>alert("</b>")</script><style>a { color: red }</style><img src=x onerror=alert(1)>';
  const runs = slicesOf(code, "xml").flat();
  assert.equal(runs.map(({ text }) => text).join(""), code);
});

test("a string that never ends leaves the rest as it is, and an unknown grammar all of it", () => {
  assert.deepEqual(slicesOf(`x = """\n${"line\n".repeat(20_000)}`, "python").flat(), []);
  assert.deepEqual(slicesOf("x", "brainfuck"), []);
});
