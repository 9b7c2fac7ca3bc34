import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RetryBudget } from "./retry-budget.ts";

const LIMITS = { burst: 10, perCall: 0.1, perSecond: 0.1 };

test("[R9] a dead provider gets a tenth more calls than one that works, and a few", () => {
  const budget = new RetryBudget(LIMITS);
  let retries = 0;
  for (let call = 0; call < 1_000; call++) {
    budget.called();
    for (let attempt = 1; attempt < 4; attempt++) if (budget.take(0)) retries++;
  }
  assert.ok(retries >= 100 && retries <= 110, String(retries));
});

test("a server of one person earns its retries by time", () => {
  const budget = new RetryBudget(LIMITS);
  for (let i = 0; i < 10; i++) assert.equal(budget.take(0), true);
  assert.equal(budget.take(0), false);
  assert.equal(budget.take(9_000), false);
  assert.equal(budget.take(10_001), true);
  assert.equal(budget.take(10_002), false);
  assert.equal(budget.take(1e9), true);
});

test("[R9] retries never exceed what calls and time have earned", () => {
  const use = fc.array(fc.record({ calls: fc.nat(20), retries: fc.nat(20), ms: fc.nat(20_000) }), { maxLength: 50 });
  fc.assert(
    fc.property(use, (rounds) => {
      const budget = new RetryBudget(LIMITS);
      let [calls, taken, now] = [0, 0, 0];
      for (const round of rounds) {
        for (let i = 0; i < round.calls; i++) budget.called();
        calls += round.calls;
        now += round.ms;
        for (let i = 0; i < round.retries; i++) if (budget.take(now)) taken++;
        assert.ok(taken <= LIMITS.burst + LIMITS.perCall * calls + (LIMITS.perSecond * now) / 1000 + 1e-6);
      }
    }),
  );
});
