import assert from "node:assert/strict";
import { test } from "node:test";
import { costText, countText, usageRows, usageText } from "./usage-text.ts";

test("costs have the digits that mean something", () => {
  const cases: readonly (readonly [number | undefined, string | undefined])[] = [
    [undefined, undefined],
    [0, undefined],
    [1, "$0.000001"],
    [34, "$0.000034"],
    [999, "$0.0010"],
    [3_420, "$0.0034"],
    [12_345, "$0.012"],
    [99_900, "$0.10"],
    [123_456, "$0.12"],
    [12_345_678, "$12.35"],
  ];
  for (const [micros, text] of cases) assert.equal(costText(micros), text, String(micros));
});

test("counts are short", () => {
  const cases = {
    0: "0",
    999: "999",
    1000: "1k",
    1234: "1.2k",
    9960: "10k",
    123_456: "123k",
    999_600: "1M",
    3_400_000: "3.4M",
  };
  for (const [count, text] of Object.entries(cases)) assert.equal(countText(Number(count)), text);
});

test("an answer says what it took, and nothing where nothing was counted", () => {
  assert.equal(usageText({ inputTokens: 0, outputTokens: 0 }), undefined);
  assert.equal(usageText({ inputTokens: 0, outputTokens: 1 }), "1 token");
  assert.equal(usageText({ inputTokens: 1000, outputTokens: 234, costMicros: 3_420 }), "1.2k tokens · $0.0034");
  assert.deepEqual(
    usageRows({ inputTokens: 10, outputTokens: 5, cachedInputTokens: 4, reasoningTokens: 2, costMicros: 34 }).map(
      ([name, value]) => `${name} ${value}`,
    ),
    ["Read 10", "of it from the cache 4", "Written 5", "of it thinking 2", "Cost $0.000034"],
  );
  assert.deepEqual(usageRows({ inputTokens: 1, outputTokens: 2 }).length, 2);
});
