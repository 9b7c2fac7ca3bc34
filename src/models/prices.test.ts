import assert from "node:assert/strict";
import { test } from "node:test";
import { createCost, parsePrices } from "./prices.ts";

const usage = (inputTokens: number, outputTokens: number, cachedInputTokens?: number) => ({
  inputTokens,
  outputTokens,
  ...(cachedInputTokens === undefined ? {} : { cachedInputTokens }),
});

test("an answer costs its fresh input, its cached input and its output, in millionths of a dollar", () => {
  const cost = createCost();
  assert.equal(cost("anthropic/claude-opus-5-5", usage(1_000_000, 1_000_000)), 24_000_000);
  assert.equal(cost("anthropic/claude-opus-5-5", usage(1_000, 100, 600)), 400 * 4 + 600 * 0.2 + 100 * 20);
  assert.equal(cost("openai/gpt-6-luna", usage(7, 3)), Math.round(0.7 + 1.5));
  assert.equal(cost("demo", usage(10, 10)), 0);
});

test("a long prompt is charged as a whole at its own rates", () => {
  const cost = createCost();
  assert.equal(cost("openai/gpt-6.1-sol", usage(272_000, 0)), 544_000);
  assert.equal(cost("openai/gpt-6.1-sol", usage(272_001, 10, 1)), Math.round(272_000 * 4 + 0.2 + 150));
});

test("the price of an introduction ends on its day", () => {
  let date = Date.parse("2026-11-30T23:59:59Z");
  const cost = createCost(new Map(), () => date);
  assert.equal(cost("google/gemini-4-argon", usage(100, 10, 50)), 50 * 2 + 50 * 0.1 + 10 * 10);
  date += 1_000;
  assert.equal(cost("google/gemini-4-argon", usage(100, 10, 50)), 50 * 4 + 50 * 0.2 + 10 * 20);
});

test("dated versions cost what their name does; other variants and unknown models are not guessed", () => {
  const cost = createCost();
  for (const id of ["anthropic/claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5@20251001"]) {
    assert.equal(cost(id, usage(1, 1)), 6, id);
  }
  assert.equal(cost("openai/gpt-5-mini-2025-08-07", usage(100, 0)), 25);
  for (const id of ["openai/gpt-6-astra-pro", "openai/gpt-7", "compatible/llama", "google/gemini-3.8-flash-tts", ""]) {
    assert.equal(cost(id, usage(1, 1)), undefined, id);
  }
});

test("the operator's prices go before the built-in ones, for one model or for all that begin alike", () => {
  const own = parsePrices(
    JSON.stringify({
      "openai/gpt-6-luna": { input: 1, output: 2 },
      "compatible/*": { input: 0, output: 0 },
      "compatible/big-*": { input: 3, output: 3 },
    }),
  );
  const cost = createCost(own);
  assert.equal(cost("openai/gpt-6-luna", usage(10, 10, 5)), 30);
  assert.equal(cost("compatible/llama3:8b", usage(10, 10)), 0);
  assert.equal(cost("compatible/big-one", usage(10, 10)), 60);
  assert.equal(cost("anthropic/claude-opus-5-5", usage(1, 0)), 4);
});

test("a file that is no price table is refused with what is wrong", () => {
  assert.throws(() => parsePrices("{"), SyntaxError);
  for (const wrong of [
    [],
    { a: 1 },
    { a: { input: 1 } },
    { a: { input: -1, output: 1 } },
    { a: { input: 1, output: 1, ouput: 2 } },
  ]) {
    assert.throws(() => parsePrices(JSON.stringify(wrong)), { name: "ZodError" });
  }
});
