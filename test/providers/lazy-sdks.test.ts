import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

/** Prints which SDKs a process has asked for: after it made the providers and listed their models, and after a request. */
const SCRIPT = `
import { registerHooks } from "node:module";
const asked = new Set();
registerHooks({
  resolve(specifier, context, next) {
    if (/^(@anthropic-ai|@google|openai)/.test(specifier)) asked.add(specifier);
    return next(specifier, context);
  },
});
const { createAnthropic } = await import("./src/models/anthropic.ts");
const { createGemini } = await import("./src/models/gemini.ts");
const seen = [];
for (const create of [createAnthropic, createGemini]) {
  const provider = create({ apiKey: "k", baseUrl: "http://127.0.0.1:1" });
  const { id: model } = provider.list()[0];
  seen.push([...asked]);
  const request = { model, messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }], tools: [], cacheKey: "c" };
  await provider.stream(request, {}, new AbortController().signal).catch((error) => seen.push(error.kind));
}
console.log(JSON.stringify([...seen, [...asked]]));
`;

test("the SDK of a provider is loaded by its first request, not by its key", () => {
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", SCRIPT], {
    cwd: new URL("../..", import.meta.url),
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.notEqual(stdout, "", stderr);
  const [first, refused, second, refusedToo, all] = JSON.parse(stdout) as unknown[];
  assert.deepEqual(first, []);
  assert.deepEqual(second, ["@anthropic-ai/sdk"]);
  assert.deepEqual([refused, refusedToo], ["transport", "transport"]);
  assert.deepEqual(all, ["@anthropic-ai/sdk", "@google/genai"]);
});
