import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { loginCodesContract } from "../../test/contracts/login-codes.ts";
import { AttemptLimiter } from "./attempt-limiter.ts";
import { LOGIN_CODE_MS, LoginCodes } from "./login-codes.ts";
import { sameSecret } from "./secrets.ts";
import { TokenBucket } from "./token-bucket.ts";

test("[W11] a bucket gives its burst, then its rate, and says how long to wait", () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 3 });
  assert.deepEqual(
    [0, 0, 0].map((now) => bucket.take(now)),
    [0, 0, 0],
  );
  assert.equal(bucket.take(0), 100);
  assert.equal(bucket.take(40), 60);
  assert.equal(bucket.take(100), 0);
  assert.equal(bucket.take(100), 100);
});

test("[W11] a bucket never gives more than burst + rate × time, and waiting as told is enough", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }),
      (perSecond, burst, gaps) => {
        const bucket = new TokenBucket({ perSecond, burst });
        let now = 1000;
        let taken = 0;
        for (const gap of gaps) {
          now += gap;
          const wait = bucket.take(now);
          if (wait === 0) taken++;
          else {
            now += wait;
            assert.equal(bucket.take(now), 0);
            taken++;
          }
        }
        assert.ok(taken <= burst + ((now - 1000) * perSecond) / 1000 + 1e-6);
      },
    ),
  );
});

test("a clock that stands still or goes back gives nothing", () => {
  const bucket = new TokenBucket({ perSecond: 1000, burst: 1 });
  assert.equal(bucket.take(5000), 0);
  assert.ok(bucket.take(5000) > 0);
  assert.ok(bucket.take(1000) > 0);
});

test("the table of addresses is bounded, and forgets who has waited", () => {
  const limiter = new AttemptLimiter({ perSecond: 1, burst: 2 });
  for (let i = 0; i < 20_000; i++) limiter.failed(`address-${i}`, 0);
  assert.equal(limiter.size, 10_000);
  limiter.failed("late", 10_000);
  assert.equal(limiter.size, 1);
});

test("login codes are bounded, and the oldest goes first", async () => {
  let now = 0;
  const codes = new LoginCodes(() => now);
  for (let i = 0; i < 150; i++) await codes.put(`code-${i}`, LOGIN_CODE_MS);
  assert.equal(codes.size, 100);
  assert.equal(await codes.take("code-49"), false);
  assert.equal(await codes.take("code-50"), true);
  now = LOGIN_CODE_MS;
  assert.equal(await codes.take("code-149"), false);
});

loginCodesContract("login-codes in memory", () => {
  const codes = new LoginCodes(Date.now);
  return [codes, codes];
});

test("secrets are compared by content", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => sameSecret(a, b) === (a === b)));
});
