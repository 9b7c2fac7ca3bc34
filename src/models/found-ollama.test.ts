import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { until } from "../../test/support/until.ts";
import { createFoundOllama } from "./found-ollama.ts";

const info = { id: "compatible/llama3", provider: "compatible", name: "llama3", available: true };
// Nobody listens on port 9; only what was found is listed.
const ollama = { baseUrl: "http://127.0.0.1:9/v1", models: [info] };

test("an Ollama is listed when it is found, also when it starts later, and is known to be found only", async () => {
  mock.timers.enable({ apis: ["setInterval"] });
  let looks = 0;
  let there = false;
  const provider = createFoundOllama({
    everyMs: 1_000,
    find: () => {
      looks++;
      if (looks === 2) return Promise.reject(new Error("anything"));
      return Promise.resolve(there ? ollama : undefined);
    },
  });
  const tick = async () => {
    const before = looks;
    await until(() => {
      mock.timers.tick(1_000);
      return looks > before;
    }, "the next look");
  };
  try {
    assert.equal(provider.found, true);
    assert.deepEqual([provider.list(), provider.passesThrough], [[], false]);
    const request = { model: info.id, messages: [], tools: [], cacheKey: "" };
    const sink = { text() {}, reasoning() {}, toolCall() {}, toolArgs() {} };
    await assert.rejects(provider.stream(request, sink, new AbortController().signal), { kind: "request" });
    await tick();
    await tick();
    assert.deepEqual(provider.list(), []);
    there = true;
    await tick();
    await until(() => provider.list().length === 1, "the model");
    assert.equal(provider.passesThrough, true);
    const found = looks;
    mock.timers.tick(10_000);
    assert.equal(looks, found, "looked for what is found");
  } finally {
    provider.close();
    mock.timers.reset();
  }
});

test("what is found after the end is left alone", async () => {
  const late = Promise.withResolvers<typeof ollama>();
  const provider = createFoundOllama({ find: () => late.promise });
  provider.close();
  late.resolve(ollama);
  await late.promise;
  assert.deepEqual([provider.list(), provider.passesThrough], [[], false]);
});
