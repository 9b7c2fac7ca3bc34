/** What nodes share in Redis beside the log: breakers, sessions, refused logins. One server, a prefix for each test. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Redis } from "ioredis";
import { breakerStoreContract } from "../../test/contracts/breaker-store.ts";
import { loginCodesContract } from "../../test/contracts/login-codes.ts";
import { loginLimiterContract } from "../../test/contracts/login-limiter.ts";
import { sessionCacheContract } from "../../test/contracts/session-cache.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { type Redis as RedisServer, startRedis } from "../../test/support/redis.ts";
import { createRedisBreakerStore } from "./breaker-store.redis.ts";
import { createRedisLoginCodes } from "./login-codes.redis.ts";
import { createRedisLoginLimiter } from "./login-limiter.redis.ts";
import { createRedisSessionCache } from "./session-cache.redis.ts";

let server: RedisServer;
let client: Redis;
let prefixes = 0;
const prefix = () => `test${++prefixes}:`;

before(async () => {
  server = await startRedis();
  client = newClient(server.port);
});
after(async () => {
  client.disconnect();
  await server.stop();
});

function newClient(port: number): Redis {
  const made = new Redis({ port, commandTimeout: 500, enableOfflineQueue: false, maxRetriesPerRequest: 0 });
  made.on("error", () => {});
  return made;
}

test("the server is reached", async () => {
  if (client.status !== "ready") await new Promise((resolve) => client.once("ready", resolve));
  assert.equal(await client.ping(), "PONG");
});

breakerStoreContract("breaker-store.redis", () => createRedisBreakerStore({ client, keyPrefix: prefix() }));

sessionCacheContract("session-cache.redis", (keepMs) =>
  createRedisSessionCache({ client, keyPrefix: prefix(), keepMs }),
);

loginCodesContract("login-codes.redis", () => {
  const options = { client, keyPrefix: prefix() };
  return [createRedisLoginCodes(options), createRedisLoginCodes(options)];
});

loginLimiterContract("login-limiter.redis", () => {
  const options = { client, keyPrefix: prefix(), logger: recordingLogger(), refusals: 3, windowSeconds: 1 };
  return [createRedisLoginLimiter(options), createRedisLoginLimiter(options)];
});

test("what another version wrote and nobody understands is not there", async () => {
  const keyPrefix = prefix();
  const sessions = createRedisSessionCache({ client, keyPrefix });
  const breakers = createRedisBreakerStore({ client, keyPrefix });
  for (const value of ["{", '{"id":1}', "[]"]) {
    await client.set(`${keyPrefix}session:a`, value);
    assert.equal(await sessions.read("a"), undefined);
    await client.set(`${keyPrefix}breaker:a`, `5 ${value}`);
    assert.equal((await breakers.read("a")).breaker, undefined);
  }
});

test("every key has the prefix of its deployment and an expiry", async () => {
  const keyPrefix = prefix();
  const breakers = createRedisBreakerStore({ client, keyPrefix });
  await breakers.write("a", 0, { state: "closed", failures: [] }, 60_000);
  await createRedisSessionCache({ client, keyPrefix }).ended("a");
  const limiter = createRedisLoginLimiter({ client, keyPrefix, logger: recordingLogger() });
  limiter.failed("192.0.2.1");
  await limiter.wait("192.0.2.1");
  const keys = await client.keys(`${keyPrefix}*`);
  assert.deepEqual(
    keys.toSorted(),
    ["breaker:a", "login:192.0.2.1", "session:a"].map((key) => keyPrefix + key),
  );
  for (const key of keys) assert.ok((await client.pttl(key)) > 0, key);
});

test("[R8] without Redis logins are let through, at once, which is said once; the others reject", async (t) => {
  const lost = await startRedis();
  const cut = newClient(lost.port);
  t.after(async () => {
    cut.disconnect();
    await lost.stop();
  });
  const logger = recordingLogger();
  const limiter = createRedisLoginLimiter({ client: cut, keyPrefix: "p:", logger, refusals: 1 });
  await new Promise((resolve) => cut.once("ready", resolve));
  limiter.failed("192.0.2.1");
  assert.ok((await limiter.wait("192.0.2.1")) > 0);
  await lost.kill();
  for (let i = 0; i < 3; i++) {
    limiter.failed("192.0.2.1");
    assert.equal(await limiter.wait("192.0.2.1"), 0);
  }
  assert.deepEqual(
    logger.lines.map(({ level }) => level),
    ["warn"],
  );
  const options = { client: cut, keyPrefix: "p:" };
  const unavailable = { code: "UNAVAILABLE" };
  await assert.rejects(createRedisBreakerStore(options).read("a"), unavailable);
  await assert.rejects(createRedisSessionCache(options).read("a"), unavailable);
});
