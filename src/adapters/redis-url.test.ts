import assert from "node:assert/strict";
import { test } from "node:test";
import { StartError } from "../ports/start-error.ts";
import { parseRedisUrl } from "./redis-url.ts";

const open = { tls: false, username: undefined, password: undefined };

test("one server", () => {
  const address = { host: "redis.local", port: 6379 };
  assert.deepEqual(parseRedisUrl("redis://redis.local"), { kind: "single", ...open, address, db: 0 });
  assert.deepEqual(parseRedisUrl("redis://[::1]:7000/3"), {
    kind: "single",
    ...open,
    address: { host: "::1", port: 7000 },
    db: 3,
  });
  assert.deepEqual(parseRedisUrl("rediss://me:p%40ss:word@redis.local/"), {
    kind: "single",
    tls: true,
    username: "me",
    password: "p@ss:word",
    address,
    db: 0,
  });
  assert.equal(parseRedisUrl("redis://:secret@redis.local").password, "secret");
});

test("a Sentinel's master", () => {
  assert.deepEqual(parseRedisUrl("redis-sentinel://:pw@a:1,b/main?db=2&sentinelPassword=s"), {
    kind: "sentinel",
    ...open,
    password: "pw",
    sentinels: [
      { host: "a", port: 1 },
      { host: "b", port: 26379 },
    ],
    name: "main",
    db: 2,
    sentinelPassword: "s",
  });
});

test("a Cluster", () => {
  assert.deepEqual(parseRedisUrl("rediss-cluster://a:1,b:2"), {
    kind: "cluster",
    ...open,
    tls: true,
    nodes: [
      { host: "a", port: 1 },
      { host: "b", port: 2 },
    ],
  });
});

for (const url of [
  "",
  "localhost:6379",
  "http://:hidden@a",
  "redis://:hidden@",
  "redis://:hidden@a,b",
  "redis://:hidden@a:0",
  "redis://:hidden@a:99999",
  "redis://:hidden@a/x",
  "redis://:hidden%@a",
  "redis-sentinel://:hidden@a:1",
  "redis-cluster://:hidden@a/4",
]) {
  test(`a URL that can't be read is refused, and not repeated: ${url}`, () => {
    assert.throws(
      () => parseRedisUrl(url),
      (error) =>
        error instanceof StartError && !error.message.includes("hidden") && error.message.includes("REDIS_URL"),
    );
  });
}
