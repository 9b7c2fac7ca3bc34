/** What every place where nodes say how they are does. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Peers } from "../../src/ports/peers.ts";
import { until } from "../support/until.ts";

const LONG_MS = 600_000;

/** `make` answers three nodes that meet at an empty place. */
export function peersContract(name: string, make: (t: TestContext) => Promise<readonly [Peers, Peers, Peers]>): void {
  test(`[R8] ${name}: a node hears how many others are fit, and never counts itself`, async (t) => {
    const [a, b, c] = await make(t);
    assert.equal(await a.tell(true, LONG_MS), 0);
    assert.equal(await a.tell(true, LONG_MS), 0);
    assert.equal(await b.tell(false, LONG_MS), 1);
    assert.equal(await c.tell(true, LONG_MS), 1);
    assert.equal(await b.tell(false, LONG_MS), 2);
    assert.equal(await a.tell(false, LONG_MS), 1);
    assert.equal(await b.tell(true, LONG_MS), 1);
    assert.equal(await a.tell(true, LONG_MS), 2);
  });

  test(`[R8] ${name}: what was said longer ago than asked for is not believed`, async (t) => {
    const [a, b] = await make(t);
    await b.tell(true, LONG_MS);
    assert.equal(await a.tell(false, LONG_MS), 1);
    await until(async () => (await a.tell(false, 50)) === 0, "the word of B to be too old");
    assert.equal(await a.tell(false, LONG_MS), 1, "by who believes it longer it still is");
  });
}
