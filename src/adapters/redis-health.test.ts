import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { type Redis, startRedis } from "../../test/support/redis.ts";
import { tcpProxy } from "../../test/support/tcp-proxy.ts";
import { until } from "../../test/support/until.ts";
import { StartError } from "../ports/start-error.ts";
import { ServerMetrics } from "./metrics.ts";
import { createRedisConnections } from "./redis-connection.ts";
import { RedisHealth } from "./redis-health.ts";

let server: Redis;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

interface NodeOptions {
  readonly url?: string;
  readonly keyPrefix?: string;
  readonly deployment?: string;
}

function newNode(t: TestContext, { url = server.url, keyPrefix = "p:", deployment = "a database" }: NodeOptions = {}) {
  const logger = recordingLogger();
  const metrics = new ServerMetrics();
  const connections = createRedisConnections({ url, logger, commandMs: 200, connectMs: 500 });
  const health = new RedisHealth({ connections, keyPrefix, deployment, metrics, logger, pingMs: 20, checkMs: 0 });
  t.after(() => {
    health.close();
    connections.close();
    metrics.close();
  });
  const shown = async (name: string) => new RegExp(`^${name} (.+)$`, "m").exec((await metrics.expose()).body)?.[1];
  return { connections, health, shown };
}

test("a Redis that answers is well, and its metrics say so", async (t) => {
  const { health, shown } = newNode(t);
  await health.start();
  assert.equal(await health.probe(), undefined);
  await until(async () => Number(await shown("parley_redis_ping_seconds")) > 0, "a ping");
  assert.equal(await shown("parley_redis_up"), "1");
  assert.equal(await shown("parley_redis_reconnects"), "0");
});

test("two deployments with one prefix and two databases are told apart, at the start and later", async (t) => {
  const ours = newNode(t, { keyPrefix: "same:" });
  await ours.health.start();
  await newNode(t, { keyPrefix: "same:" }).health.start();
  const theirs = { keyPrefix: "same:", deployment: "another database" };
  await assert.rejects(newNode(t, theirs).health.start(), (error: unknown) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /same PARLEY_KEY_PREFIX.*delete the key same:deployment/);
    return true;
  });
  await newNode(t, { ...theirs, keyPrefix: "other:" }).health.start();
  // The Redis was emptied, and the other one came first.
  await ours.connections.client.flushall();
  await newNode(t, theirs).health.start();
  assert.match((await ours.health.probe()) ?? "", /Another deployment/);
  await ours.connections.client.del("same:deployment");
  assert.equal(await ours.health.probe(), undefined);
});

test("a Redis whose settings may lose keys is named, at the start and when they change", async (t) => {
  const evicting = await startRedis({ maxmemory: "100mb", "maxmemory-policy": "allkeys-lru" });
  t.after(() => evicting.stop());
  await assert.rejects(newNode(t, { url: evicting.url }).health.start(), /maxmemory-policy is allkeys-lru/);
  const { health, connections } = newNode(t);
  await health.start();
  await connections.client.config("SET", "maxmemory", "100mb", "maxmemory-policy", "volatile-lru");
  assert.match((await health.probe()) ?? "", /maxmemory-policy is volatile-lru/);
  await connections.client.config("SET", "maxmemory", "0");
  assert.equal(await health.probe(), undefined);
});

test("[R8] a Redis that goes away, or answers nothing any more, is noticed in time, and that it is back", async (t) => {
  const network = await tcpProxy(server.port);
  t.after(() => network.close());
  const { health, shown } = newNode(t, { url: `redis://127.0.0.1:${network.port}` });
  await health.start();
  for (const lose of [() => network.cut(), () => network.freeze()]) {
    lose();
    await until(async () => {
      const from = performance.now();
      const failed = await health.probe().then(
        () => false,
        () => true,
      );
      assert.ok(performance.now() - from < 1_500, "a probe waits no longer than a command may");
      return failed;
    }, "the loss");
    assert.equal(await shown("parley_redis_up"), "0");
    network.mend();
    await until(async () => (await shown("parley_redis_up")) === "1", "Redis to be back");
    assert.equal(await health.probe(), undefined);
  }
  assert.ok(Number(await shown("parley_redis_reconnects")) >= 1);
});
