import assert from "node:assert/strict";
import { test } from "node:test";
import { createProviders, type ProviderConfig } from "./providers.ts";

const none: ProviderConfig = {
  anthropic: undefined,
  openai: undefined,
  gemini: undefined,
  compatible: undefined,
  findOllama: false,
};

function namesOf(config: Partial<ProviderConfig>): string[] {
  const { all } = createProviders({ ...none, ...config }, {});
  for (const provider of all) provider.close();
  return all.map(({ name, found }) => (found === true ? `${name}, found` : name));
}

test("each key makes a provider, in a fixed order, before the demo", () => {
  assert.deepEqual(namesOf({}), ["demo"]);
  assert.deepEqual(namesOf({ openai: { apiKey: "k" } }), ["openai", "demo"]);
  const key = { apiKey: "k" };
  // Nobody listens on port 9.
  const compatible = { baseUrl: "http://127.0.0.1:9/v1" };
  assert.deepEqual(namesOf({ anthropic: key, openai: key, gemini: key, compatible, findOllama: true }), [
    "anthropic",
    "openai",
    "google",
    "compatible",
    "demo",
  ]);
});

test("an Ollama is looked for where no other server has its name", () => {
  assert.deepEqual(namesOf({ findOllama: true }), ["compatible, found", "demo"]);
});
