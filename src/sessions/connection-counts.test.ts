import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionCounts } from "./connection-counts.ts";

test("[W11] one person's and one address's connections are limited, each by its own number", () => {
  const counts = new ConnectionCounts({ perUser: 2, perAddress: 3 });
  assert.deepEqual(
    [1, 2, 3].map(() => counts.enterUser("ada")),
    [true, true, false],
  );
  assert.equal(counts.enterUser("bob"), true);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => counts.enterAddress("ada")),
    [true, true, true, false],
  );
  counts.leaveUser("ada");
  assert.equal(counts.enterUser("ada"), true);
  assert.equal(counts.enterUser("ada"), false);
  counts.leaveAddress("never came");
});

test("without a limit nothing is counted, and nobody is asked", () => {
  const census = { start: () => assert.fail("asked"), elsewhere: () => assert.fail("asked") };
  const counts = new ConnectionCounts({ perUser: undefined, perAddress: undefined }, census);
  for (let i = 0; i < 100; i++) assert.ok(counts.enterUser("ada") && counts.enterAddress("::1"));
  assert.deepEqual([...counts.atLeast(0)], []);
});

test("what other nodes have counts here; who has few is not told of", () => {
  const elsewhere = new Map([["user ada", 4]]);
  const census = { start: () => {}, elsewhere: (key: string) => elsewhere.get(key) ?? 0 };
  const counts = new ConnectionCounts({ perUser: 5, perAddress: undefined }, census);
  assert.deepEqual([counts.enterUser("ada"), counts.enterUser("ada")], [true, false]);
  for (let i = 0; i < 3; i++) counts.enterUser("bob");
  assert.deepEqual([...counts.atLeast(2)], [["user bob", 3]]);
  elsewhere.clear();
  assert.equal(counts.enterUser("ada"), true);
});
