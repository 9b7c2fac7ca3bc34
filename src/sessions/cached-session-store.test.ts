import assert from "node:assert/strict";
import { test } from "node:test";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { FakeSessionStore } from "../../test/support/sessions.fake.ts";
import type { SessionCache } from "../ports/session-cache.ts";
import type { StoredSession } from "../ports/store.ts";
import { cachedSessionStore } from "./cached-session-store.ts";

const ALICE = { tenantId: "tenant-1", userId: "user-1" };
const TOKEN = "the hash of a token";

/** A cache that can be away, and counts what it is asked. */
class TestCache implements SessionCache {
  readonly rows = new Map<string, StoredSession | "ended">();
  away = false;
  asked = 0;

  async read(hash: string) {
    this.#ask();
    return this.rows.get(hash);
  }
  async write(hash: string, session: StoredSession) {
    this.#ask();
    if (this.rows.get(hash) === "ended") return false;
    this.rows.set(hash, session);
    return true;
  }
  async ended(hash: string) {
    this.#ask();
    this.rows.set(hash, "ended");
  }
  #ask(): void {
    this.asked++;
    if (this.away) throw new Error("connection lost");
  }
}

async function setUp() {
  const store = new FakeSessionStore();
  const cache = new TestCache();
  const log = recordingLogger();
  const node = () => cachedSessionStore({ store, cache, log, now: () => store.now });
  const [a, b] = [node(), node()];
  const input = { id: "session-1", ...ALICE, tokenHash: TOKEN, device: "", lifetimeMs: 60_000, method: "link" };
  const session = await a.create(input);
  store.calls.length = 0;
  return { store, cache, log, a, b, session };
}

test("a session that one node made is found by another without the store", async () => {
  const { store, b, session } = await setUp();
  assert.deepEqual(await b.find(TOKEN), session);
  assert.equal(await b.find("another hash"), null);
  assert.deepEqual(store.calls, ["find"]);
});

test("[R8] a flushed cache, and one that is away, log nobody out; it is left alone for a moment, and said once", async () => {
  const { store, cache, log, b, session } = await setUp();
  cache.rows.clear();
  assert.deepEqual(await b.find(TOKEN), session);
  assert.deepEqual(cache.rows.get(TOKEN), session, "and it is filled again");
  cache.away = true;
  cache.asked = 0;
  for (let i = 0; i < 5; i++) assert.deepEqual(await b.find(TOKEN), session);
  assert.equal(cache.asked, 1);
  cache.away = false;
  store.now += 1_000;
  assert.deepEqual(await b.find(TOKEN), session);
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ["warn", "info"],
  );
});

test("a session that was revoked on one node is not found on another, and a late look-up does not bring it back", async () => {
  const { store, a, b } = await setUp();
  const read = Promise.withResolvers<void>();
  const cacheless = new TestCache();
  const log = recordingLogger();
  const slow = cachedSessionStore({ store, cache: cacheless, log, now: () => store.now });
  store.pause = read.promise;
  const late = slow.find(TOKEN);
  assert.equal(await a.revoke(ALICE, "session-1"), TOKEN);
  await cacheless.ended(TOKEN);
  read.resolve();
  assert.equal(await late, null);
  assert.equal(await b.find(TOKEN), null);
  assert.equal(await a.revoke(ALICE, "session-1"), null);
});

test("a revocation is written though the cache failed just before", async () => {
  const { store, cache, a, b } = await setUp();
  cache.away = true;
  await a.find(TOKEN);
  cache.away = false;
  await a.revoke(ALICE, "session-1");
  assert.equal(cache.rows.get(TOKEN), "ended");
  assert.equal(await b.find(TOKEN), null);
  assert.equal(store.calls.at(-1), "revoke");
});

test("a cached session that looks expired is asked for: its expiry may have moved", async () => {
  const { store, b } = await setUp();
  await store.touch("session-1", 120_000);
  store.now += 90_000;
  assert.notEqual(await b.find(TOKEN), null);
  store.now += 60_000;
  assert.equal(await b.find(TOKEN), null);
});
