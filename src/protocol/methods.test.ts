import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { isMethod, METHODS } from "./methods.ts";
import { text, topic } from "./shapes.ts";

test("a method's name has a namespace unless it is the session's own, and is no member of Object", () => {
  for (const name of Object.keys(METHODS)) {
    assert.match(name, /^([a-z]+\.[a-z]+(?:[A-Z][a-z]+)*|ping|login|logout)$/);
    assert.ok(isMethod(name));
  }
  for (const name of ["toString", "__proto__", "constructor", ""]) assert.ok(!isMethod(name));
});

test("[W1] params are strict: an unknown field is an error", () => {
  for (const [name, { params }] of Object.entries(METHODS)) {
    const issues = params.safeParse({ definitelyNotAField: 1 }).error?.issues ?? [];
    const flat = issues.flatMap((issue) => (issue.code === "invalid_union" ? issue.errors.flat() : [issue]));
    assert.ok(
      flat.some((issue) => issue.code === "unrecognized_keys"),
      name,
    );
  }
});

test("[W1] every schema can be described, so that the reference is complete", () => {
  for (const { params, result } of Object.values(METHODS)) {
    assert.equal(typeof z.toJSONSchema(params, { io: "input" }), "object");
    assert.equal(typeof z.toJSONSchema(result, { io: "output" }), "object");
  }
});

test("texts: U+0000 is refused, a lone surrogate becomes U+FFFD, everything else stays", () => {
  const schema = text(1000);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff })), (units) => {
      const given = String.fromCharCode(...units);
      const parsed = schema.safeParse(given);
      assert.equal(parsed.success, !given.includes("\u0000"));
      if (!parsed.success) return;
      assert.ok(parsed.data.isWellFormed());
      assert.equal(parsed.data.length, given.length);
      if (given.isWellFormed()) assert.equal(parsed.data, given);
    }),
  );
  assert.equal(schema.safeParse("x".repeat(1001)).success, false);
});

test("topics name what they are of", () => {
  const good = ["conversation:0197-a", "user:u_1"];
  const bad = [
    "conversation:",
    "user",
    "workspace:1",
    "user:a b",
    "user:a\n",
    "user:",
    "USER:a",
    `user:${"x".repeat(65)}`,
  ];
  for (const name of good) assert.ok(topic.safeParse(name).success, name);
  for (const name of bad) assert.ok(!topic.safeParse(name).success, name);
});
