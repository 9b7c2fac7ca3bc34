import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelError, type ModelErrorKind } from "../ports/model.ts";
import { decide, excuse, type Failure, isOutage, mostTelling } from "./model-call-policy.ts";

const failure = (kind: ModelErrorKind, more: Partial<Failure> = {}, retryAfterMs?: number): Failure => ({
  error: { kind, retryAfterMs },
  spoke: false,
  attempts: 1,
  remainingMs: 3_600_000,
  random: 1,
  ...more,
});

test("[R9] each kind of failure has its treatment", () => {
  const expected: Record<ModelErrorKind, "retry" | "next" | "fail"> = {
    throttle: "retry",
    overload: "retry",
    transport: "retry",
    stall: "retry",
    auth: "next",
    billing: "next",
    context: "fail",
    content: "fail",
    request: "fail",
  };
  for (const [kind, type] of Object.entries(expected) as [ModelErrorKind, string][]) {
    assert.equal(decide(failure(kind)).type, type, kind);
    assert.equal(decide(failure(kind, { spoke: true })).type, "fail", `${kind} after the first token`);
    assert.equal(isOutage(kind), type !== "fail", kind);
    assert.match(excuse(kind, "openai/x"), /openai\/x.*\.$/);
  }
});

test("[R9] waits are full jitter under a doubling bound, for at most four attempts, two where each takes its time", () => {
  const waits = (random: number) => [1, 2, 3, 4].map((attempts) => decide(failure("overload", { attempts, random })));
  assert.deepEqual(waits(1), [
    { type: "retry", waitMs: 500 },
    { type: "retry", waitMs: 1_000 },
    { type: "retry", waitMs: 2_000 },
    { type: "next" },
  ]);
  assert.deepEqual(waits(0.5)[2], { type: "retry", waitMs: 1_000 });
  assert.deepEqual(waits(0)[2], { type: "retry", waitMs: 0 });
  assert.equal(decide(failure("stall", { attempts: 1 })).type, "retry");
  assert.equal(decide(failure("stall", { attempts: 2 })).type, "next");
});

test("[R9] Retry-After is waited for, but not longer than half a minute or the deadline", () => {
  assert.deepEqual(decide(failure("throttle", { random: 0 }, 7_000)), { type: "retry", waitMs: 7_000 });
  assert.deepEqual(decide(failure("throttle", { random: 0.5 }, 7_000)), { type: "retry", waitMs: 7_250 });
  assert.deepEqual(decide(failure("throttle", { random: 0.5, attempts: 3 }, 1)), { type: "retry", waitMs: 1_000 });
  assert.deepEqual(decide(failure("throttle", { random: 0 }, 30_000)), { type: "retry", waitMs: 30_000 });
  assert.deepEqual(decide(failure("throttle", {}, 30_001)), { type: "next" });
  assert.deepEqual(decide(failure("throttle", { random: 0, remainingMs: 7_000 }, 7_000)), { type: "next" });
  assert.deepEqual(decide(failure("overload", { remainingMs: 400 })), { type: "next" });
});

test("of a chain's failures the one to tell is the first that may pass, else the first", () => {
  const [auth, overload, stall] = (["auth", "overload", "stall"] as const).map((kind) => new ModelError(kind, kind));
  assert.ok(auth && overload && stall);
  assert.equal(mostTelling([auth, overload, stall]), overload);
  assert.equal(mostTelling([auth]), auth);
  assert.equal(mostTelling([]), undefined);
});
