import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { BreakerState } from "../ports/breaker.ts";
import {
  type BreakerEvent,
  type BreakerLimits,
  CLOSED,
  granted,
  refusedFor,
  type Ticket,
  transition,
} from "./circuit-breaker.ts";

const LIMITS: BreakerLimits = {
  failures: 3,
  windowMs: 10_000,
  coolDownMs: 1_000,
  maxCoolDownMs: 8_000,
  probeMs: 5_000,
};

/** A breaker with a clock, as one process sees it. */
class Machine {
  state: BreakerState = CLOSED;
  now = 0;

  ask(): Ticket | undefined {
    const before = this.state;
    this.apply({ type: "ask", now: this.now });
    return granted(before, this.state, this.now);
  }

  apply(event: BreakerEvent): void {
    this.state = transition(this.state, event, LIMITS);
  }

  fail(ticket: Ticket | undefined = this.ask(), retryAfterMs?: number): void {
    assert.ok(ticket);
    this.apply({ type: "failure", now: this.now, ticket, kind: "overload", retryAfterMs });
  }

  succeed(ticket: Ticket | undefined = this.ask()): void {
    assert.ok(ticket);
    this.apply({ type: "success", now: this.now, ticket });
  }

  open(): void {
    for (let i = 0; i < LIMITS.failures; i++) this.fail();
    assert.equal(this.state.state, "open");
  }
}

test("[R9] it opens after enough failures, probes once after the cool-down, and closes when the probe succeeds", () => {
  const machine = new Machine();
  machine.open();
  assert.equal(machine.ask(), undefined);
  assert.equal(refusedFor(machine.state, machine.now), 1_000);
  machine.now = 999;
  assert.equal(machine.ask(), undefined);
  machine.now = 1_000;
  const probe = machine.ask();
  assert.deepEqual(probe, { at: 1_000, probe: true });
  for (let i = 0; i < 5; i++) assert.equal(machine.ask(), undefined, "one probe at a time");
  machine.succeed(probe);
  assert.deepEqual(machine.state, CLOSED);
  assert.ok(machine.ask());
});

test("[R9] each failed probe doubles the cool-down up to its cap, and a close starts it anew", () => {
  const machine = new Machine();
  machine.open();
  for (const coolDown of [1_000, 2_000, 4_000, 8_000, 8_000, 8_000]) {
    assert.equal(refusedFor(machine.state, machine.now), coolDown);
    machine.now += coolDown;
    machine.fail();
  }
  machine.now += 8_000;
  machine.succeed();
  machine.open();
  assert.equal(refusedFor(machine.state, machine.now), 1_000);
});

test("[R9] a probe that never reports is taken for lost, and another goes", () => {
  const machine = new Machine();
  machine.open();
  machine.now = 1_000;
  const lost = machine.ask();
  machine.now = 5_999;
  assert.equal(machine.ask(), undefined);
  machine.now = 6_000;
  const second = machine.ask();
  assert.ok(second);
  machine.fail(lost);
  assert.equal(machine.state.state, "half-open", "the lost one has no say any more");
  machine.succeed(second);
  assert.equal(machine.state.state, "closed");
});

test("[R9] a probe that was stopped by a person leaves the probing to the next call, without a longer cool-down", () => {
  const machine = new Machine();
  machine.open();
  machine.now = 1_000;
  const ticket = machine.ask();
  assert.ok(ticket);
  machine.apply({ type: "abandoned", now: machine.now, ticket });
  const next = machine.ask();
  assert.ok(next?.probe);
  machine.fail(next);
  assert.equal(refusedFor(machine.state, machine.now), 2_000);
});

test("failures count only together: within the window, and with no success of a later call between", () => {
  const machine = new Machine();
  machine.fail();
  machine.fail();
  machine.now = 10_000;
  machine.fail();
  assert.equal(machine.state.state, "closed", "the first two are too old");
  machine.fail();
  machine.now += 1;
  machine.succeed();
  machine.fail();
  machine.fail();
  assert.equal(machine.state.state, "closed");
  machine.fail();
  assert.equal(machine.state.state, "open");
});

test("the success of a call that was sent before the failures does not undo them", () => {
  const machine = new Machine();
  const early = machine.ask();
  machine.now = 1;
  machine.fail();
  machine.fail();
  machine.succeed(early);
  machine.fail();
  assert.equal(machine.state.state, "open");
});

test("what was sent before it opened changes nothing", () => {
  const machine = new Machine();
  const early = machine.ask();
  machine.open();
  const open = machine.state;
  machine.succeed(early);
  machine.fail(early);
  assert.equal(machine.state, open);
  machine.now = 1_000;
  const probe = machine.ask();
  const halfOpen = machine.state;
  machine.succeed(early);
  machine.fail(early);
  assert.equal(machine.state, halfOpen);
  machine.succeed(probe);
  assert.equal(machine.state.state, "closed");
});

test("the provider's own word makes the cool-down longer, within the cap", () => {
  const machine = new Machine();
  machine.fail();
  machine.fail();
  machine.fail(machine.ask(), 5_000);
  assert.equal(refusedFor(machine.state, 0), 5_000);
  machine.now = 5_000;
  machine.fail(machine.ask(), 3_600_000);
  assert.equal(refusedFor(machine.state, 5_000), 8_000);
});

test("a clock that went back does not keep it open", () => {
  const machine = new Machine();
  machine.now = 1e9;
  machine.open();
  machine.now = 5;
  const probe = machine.ask();
  assert.ok(probe?.probe);
  machine.succeed(probe);
  assert.equal(machine.state.state, "closed");
});

type Step =
  | { readonly do: "ask" }
  | { readonly do: "report"; readonly call: number; readonly as: "success" | "failure" | "abandoned" | "silence" }
  | { readonly do: "wait"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant({ do: "ask" } as const),
  fc.record({
    do: fc.constant("report" as const),
    call: fc.nat(9),
    as: fc.constantFrom("success", "failure", "abandoned", "silence"),
  }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: -2_000, max: 6_000 }) }),
);

test("[R9] whatever happened, it lets a call through in bounded time, and closes when that one succeeds", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const machine = new Machine();
      const calls: Ticket[] = [];
      for (const each of steps) {
        switch (each.do) {
          case "wait":
            machine.now = Math.max(0, machine.now + each.ms);
            break;
          case "ask": {
            const before = machine.state;
            const ticket = machine.ask();
            if (ticket !== undefined) calls.push(ticket);
            // A second one at the same time gets no probe.
            if (before.state !== "closed") assert.equal(machine.ask(), undefined);
            break;
          }
          case "report": {
            const [ticket] = calls.splice(each.call % Math.max(1, calls.length), 1);
            if (ticket === undefined || each.as === "silence") break;
            const { now } = machine;
            if (each.as === "failure") machine.fail(ticket);
            else machine.apply({ type: each.as, now, ticket });
            break;
          }
        }
        const { state } = machine;
        if (state.state === "closed") assert.ok(state.failures.length < LIMITS.failures);
      }
      machine.now += Math.max(LIMITS.maxCoolDownMs, LIMITS.probeMs);
      machine.succeed();
      assert.equal(machine.state.state, "closed");
    }),
    { numRuns: 2_000 },
  );
});
