/** What every `BreakerStore` does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { BreakerState, BreakerStore } from "../../src/ports/breaker.ts";
import { until } from "../support/until.ts";

const KEEP_MS = 60_000;
const open = (trips: number): BreakerState => ({ state: "open", trips, until: 1_000, kind: "overload" });

/** `make` answers an empty store each time. */
export function breakerStoreContract(name: string, make: () => BreakerStore): void {
  test(`${name}: what was written is read, key by key`, async () => {
    const store = make();
    const states: readonly BreakerState[] = [
      { state: "closed", failures: [1.5, 2] },
      open(3),
      { state: "half-open", trips: 2, since: 5, until: 10.25, kind: "stall" },
    ];
    for (const [index, state] of states.entries()) {
      const { breaker, version } = await store.read(`key ${index}`);
      assert.equal(breaker, undefined);
      assert.equal(await store.write(`key ${index}`, version, state, KEEP_MS), true);
    }
    for (const [index, state] of states.entries()) {
      assert.deepEqual((await store.read(`key ${index}`)).breaker, state);
    }
  });

  test(`${name}: a write goes only on top of what was read`, async () => {
    const store = make();
    const { version } = await store.read("a");
    assert.equal(await store.write("a", version, open(1), KEEP_MS), true);
    assert.equal(await store.write("a", version, open(2), KEEP_MS), false);
    const newer = await store.read("a");
    assert.deepEqual(newer.breaker, open(1));
    assert.equal(await store.write("a", newer.version, open(2), KEEP_MS), true);
    assert.deepEqual((await store.read("a")).breaker, open(2));
  });

  test(`${name}: of many writers on top of one reading exactly one succeeds`, async () => {
    const store = make();
    const { version } = await store.read("a");
    const written = await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.write("a", version, open(i), KEEP_MS)),
    );
    assert.equal(written.filter(Boolean).length, 1);
  });

  test(`${name}: its clock goes forward, and it forgets in time`, async () => {
    const store = make();
    const first = await store.read("a");
    await store.write("a", first.version, open(1), 20);
    await until(async () => (await store.read("a")).breaker === undefined, "the breaker to be forgotten");
    const last = await store.read("a");
    assert.ok(last.now - first.now >= 20, `${first.now} … ${last.now}`);
    assert.equal(await store.write("a", last.version, open(2), KEEP_MS), true);
  });
}
