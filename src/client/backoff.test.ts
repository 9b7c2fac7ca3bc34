import assert from "node:assert/strict";
import { it } from "node:test";
import { fullJitter, RECONNECT } from "./backoff.ts";

it("[W8] each wait is drawn from the whole range, which doubles up to its cap", () => {
  for (let attempt = 1; attempt <= 40; attempt++) {
    const range = Math.min(RECONNECT.cap, RECONNECT.base * 2 ** (attempt - 1));
    assert.equal(
      fullJitter(attempt, () => 0),
      0,
    );
    assert.equal(
      fullJitter(attempt, () => 0.5),
      range / 2,
    );
    assert.ok(fullJitter(attempt, () => 1 - 2 ** -53) <= range);
  }
});

it("the first wait is at most 250 ms and the longest 15 s", () => {
  assert.equal(
    fullJitter(1, () => 1),
    250,
  );
  assert.equal(
    fullJitter(1000, () => 1),
    15_000,
  );
});

it("clients that lost the same server come back spread evenly", () => {
  // A fixed generator (Lehmer), so that the test says the same each time.
  let seed = 12_345;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const tenths = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 10_000; i++) tenths[Math.floor(fullJitter(7, random) / 1_500)]! += 1;
  for (const count of tenths) assert.ok(count > 850 && count < 1_150, String(tenths));
});
