import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answered, claimableIn, claimed, failed, lost, reachable, renewed, rightOf, type Lease } from "./lease.ts";

const times = { leaseMs: 15_000, renewMs: 5_000 };
const held = claimed(1_000, times.leaseMs);

for (const [name, lease, now, right] of [
  ["a claimed run may act", held, 1_000, "act"],
  ["it may act until one lease after the claim was sent", held, 15_999, "act"],
  ["past that it may only end its stream", held, 16_000, "stream"],
  ["however long that is", held, 1e9, "stream"],
  ["a renewal counts from its sending", renewed(held, 6_000, times.leaseMs), 20_999, "act"],
  ["and not a moment longer", renewed(held, 6_000, times.leaseMs), 21_000, "stream"],
  [
    "an overtaken renewal takes nothing back",
    renewed(renewed(held, 6_000, times.leaseMs), 3_000, 15_000),
    20_999,
    "act",
  ],
  ["after an outage a renewal by fence brings all back", renewed(held, 40_000, times.leaseMs), 54_999, "act"],
  ["a lost lease may do nothing", lost, 0, "nothing"],
  ["and no renewal brings it back", renewed(lost, 1_000, times.leaseMs), 1_001, "nothing"],
] satisfies [string, Lease, number, string][]) {
  test(`[R3] ${name}`, () => assert.equal(rightOf(lease, now), right));
}

test("[R3] the owner's lease is over before the database's", () => {
  // A request is applied at some time after its sending, and the database's lease runs from there; clocks of both run
  // equally fast. The owner hears of it after that, or never.
  const request = fc.record({
    gap: fc.nat(20_000),
    travel: fc.nat(30_000),
    reply: fc.option(fc.nat(30_000), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.nat(10_000), fc.array(request, { maxLength: 20 }), (claimTravel, requests) => {
      let lease = claimed(0, times.leaseMs);
      let database = claimTravel + times.leaseMs;
      let now = claimTravel;
      for (const { gap, travel, reply } of requests) {
        const sentAt = (now += gap);
        const appliedAt = sentAt + travel;
        database = appliedAt + times.leaseMs;
        now = appliedAt + (reply ?? 0);
        if (reply !== undefined) lease = renewed(lease, sentAt, times.leaseMs);
        assert.notEqual(rightOf(lease, database), "act");
      }
    }),
  );
});

test("[R3] a claimer waits one lease after an outage in which leases may have expired", () => {
  const up = answered(reachable(0), 1_000, 1_010, times);
  assert.equal(claimableIn(up, 1_010), 0);

  const down = failed(up);
  assert.equal(claimableIn(down, 1_500), undefined);
  assert.equal(claimableIn(failed(down), 2_000), undefined);

  const blip = answered(down, 10_000, 10_999, times);
  assert.equal(claimableIn(blip, 10_999), 0);

  const outage = answered(down, 10_000, 11_000, times);
  assert.equal(claimableIn(outage, 11_000), 15_000);
  assert.equal(claimableIn(outage, 25_999), 1);
  assert.equal(claimableIn(outage, 26_000), 0);

  const flapping = answered(failed(outage), 19_000, 19_999, times);
  assert.equal(claimableIn(flapping, 19_999), 6_001);
  assert.equal(claimableIn(answered(outage, 12_000, 12_001, times), 12_001), 13_999);
});
