import assert from "node:assert/strict";
import { test } from "node:test";
import { flat, UserAgents } from "./peer-strings.ts";

test("a flat copy is the same text", () => {
  for (const text of ["", "plain", "grüße 😀", "a".repeat(5000).slice(10, 60)]) assert.equal(flat(text), text);
});

test("user agents are cut to 200 characters, and made-up ones do not pile up or mix", () => {
  const agents = new UserAgents();
  assert.equal(agents.get(""), "");
  assert.equal(agents.get("x".repeat(300)), "x".repeat(200));
  for (let i = 0; i < 5000; i++) assert.equal(agents.get(`agent ${i}`), `agent ${i}`);
  assert.equal(agents.get("agent 1"), "agent 1");
});
