import assert from "node:assert/strict";
import { test } from "node:test";
import { providerError } from "./provider-error.ts";

test("a provider's words are told where they help, in one line, without keys and addresses", () => {
  const words = "bad  field\n'x', key sk-ant-api03-abcdef123456 at https://api.example/v1?key=1 " + "z".repeat(500);
  const { message } = providerError("Anthropic", { kind: "request", words });
  assert.match(message, /^Anthropic did not accept the request: bad field 'x', key … at … z+…$/);
  assert.ok(message.length < 260);
});

test("of a refused key nothing is told but that", () => {
  const error = providerError("Gemini", { kind: "auth", status: 401, words: "the key 1234 is wrong" });
  assert.equal(error.message, "Gemini does not accept the key.");
  assert.deepEqual([error.kind, error.status, error.retryAfterMs], ["auth", 401, undefined]);
});
