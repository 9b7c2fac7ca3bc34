/** What every `SessionCache` does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionCache } from "../../src/ports/session-cache.ts";
import type { StoredSession } from "../../src/ports/store.ts";
import { until } from "../support/until.ts";

const session = (id: string): StoredSession => ({
  id,
  user: { id: "a user", name: "Ada ✓" },
  tenant: { id: "a tenant", name: "Home" },
  roles: ["owner"],
  device: "Firefox",
  createdAt: "2026-11-21T10:00:00.000Z",
  lastSeenAt: "2026-11-21T10:00:00.000Z",
  expiresAt: "2026-11-22T10:00:00.000Z",
});

/** `make` answers an empty cache each time, which keeps what is written for `keepMs`. */
export function sessionCacheContract(name: string, make: (keepMs: number) => SessionCache): void {
  test(`${name}: what was written is read, by its token`, async () => {
    const cache = make(60_000);
    assert.equal(await cache.read("a"), undefined);
    assert.equal(await cache.write("a", session("1")), true);
    assert.equal(await cache.write("b", session("2")), true);
    assert.deepEqual(await cache.read("a"), session("1"));
    assert.deepEqual(await cache.read("b"), session("2"));
    assert.equal(await cache.write("a", session("1")), true, "a repeat");
  });

  test(`${name}: what has ended stays ended, whoever writes it after`, async () => {
    const cache = make(60_000);
    await cache.write("a", session("1"));
    await cache.ended("a");
    await cache.ended("b");
    for (const hash of ["a", "b"]) {
      assert.equal(await cache.read(hash), "ended");
      assert.equal(await cache.write(hash, session("1")), false);
      assert.equal(await cache.read(hash), "ended");
    }
  });

  test(`${name}: what was written is forgotten in time`, async () => {
    const cache = make(30);
    await cache.write("a", session("1"));
    await until(async () => (await cache.read("a")) === undefined, "the session to be forgotten");
    assert.equal(await cache.write("a", session("1")), true);
  });
}
