import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Redis as Client } from "ioredis";
import { freePort } from "../../test/support/free-port.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { startRedis } from "../../test/support/redis.ts";
import { until } from "../../test/support/until.ts";
import { StartError } from "../ports/start-error.ts";
import { createRedisConnections, type RedisConnections } from "./redis-connection.ts";
import { redisFailure } from "./redis-errors.ts";
import { configurationProblem } from "./redis-server-check.ts";
import { bucketOf, slotOf } from "./redis-slot.ts";

const SECRET = "correct-horse";
const redis = await startRedis({ requirepass: SECRET });
const admin = new Client(redis.port, "127.0.0.1", { password: SECRET });
const made: RedisConnections[] = [];
after(async () => {
  for (const connections of made) connections.close();
  admin.disconnect();
  await redis.stop();
});

function connect(credentials: string, port = redis.port) {
  const logger = recordingLogger();
  const connections = createRedisConnections({
    url: `redis://${credentials}127.0.0.1:${port}`,
    logger,
    commandMs: 500,
  });
  made.push(connections);
  return { connections, logger };
}

/** Everything that an error or a log line may show. */
function shown(value: unknown): string {
  if (!(value instanceof Error)) return JSON.stringify(value);
  return [value.message, value.stack, JSON.stringify(value), value.cause === undefined ? "" : shown(value.cause)].join(
    "\n",
  );
}

test("the right password: it starts, and answers", async () => {
  const { connections } = connect(`:${SECRET}@`);
  await connections.start();
  assert.equal(connections.up, true);
  assert.equal(await connections.run(connections.client.ping()), "PONG");
});

for (const [what, credentials] of [
  ["a wrong password", `:${SECRET}-not@`],
  ["a wrong user", `nobody:${SECRET}@`],
  ["no password", ""],
] as const) {
  test(`${what}: the start says so, without it`, async () => {
    const { connections, logger } = connect(credentials);
    const failure = await connections.start(1_500).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(failure instanceof StartError, String(failure));
    assert.match(failure.message, /WRONGPASS|NOAUTH/);
    const command = await connections.run(connections.client.ping()).then(
      () => undefined,
      (error: unknown) => error,
    );
    const everything = [
      shown(failure),
      shown(command),
      ...logger.lines.map(({ fields }) => Object.values(fields).map(shown)),
    ];
    assert.ok(!everything.join("\n").includes(SECRET), everything.join("\n"));
  });
}

test("nobody there: the start gives up in time and says where to look", async () => {
  const { connections } = connect("", await freePort());
  await assert.rejects(connections.start(300), /REDIS_URL within 0\.3 s: connect ECONNREFUSED/);
  await assert.rejects(connections.run(connections.client.ping()), { code: "UNAVAILABLE" });
});

test("[R8] a connection that the driver has given up is made again, until it is closed", async () => {
  const { connections } = connect(`:${SECRET}@`);
  await connections.start();
  const stop = connections.subscriber.listen("{b0}x", () => undefined);
  await until(() => connections.subscriber.hearing, "the subscription");
  let readies = 0;
  connections.client.on("ready", () => readies++);
  for (let round = 0; round < 10; round++) {
    const before = readies;
    if (round % 2 === 0) connections.client.disconnect();
    else {
      // Told to reconnect while it connects, it gives up.
      connections.client.once("connecting", () => connections.client.disconnect(true));
      connections.client.disconnect(true);
    }
    await until(() => readies > before, "the connection");
  }
  stop();
  connections.close();
  await until(() => connections.client.status === "end", "the end");
});

test("a connection for what nobody listens to any more is no connection that was lost", async () => {
  const { connections, logger } = connect(`:${SECRET}@`);
  await connections.start();
  const subscribers = async () =>
    String(await admin.call("CLIENT", "LIST", "TYPE", "pubsub")).split(" addr=").length - 1;
  const before = await subscribers();
  const stop = connections.subscriber.listen("{b0}x", () => undefined);
  await until(() => connections.subscriber.hearing, "the subscription");
  await until(async () => (await subscribers()) === before + 1, "the subscriber's connection");
  stop();
  await until(async () => (await subscribers()) === before, "its end");
  // What this end hears of it comes before an answer that is asked for now.
  await connections.run(connections.client.ping());
  assert.deepEqual(logger.lines, []);
});

test("an evicting server is refused at the start, and noticed later", async () => {
  const { connections } = connect(`:${SECRET}@`);
  await admin.config("SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru");
  await assert.rejects(connections.start(), /allkeys-lru.*noeviction/);
  await admin.config("SET", "maxmemory-policy", "noeviction");
  await until(() => connections.up, "the connection");
  assert.equal(await connections.problem(), undefined);
});

test("what a server must be", () => {
  const info = (version: string, maxmemory: string, policy: string): string =>
    `redis_version:${version}\r\nmaxmemory:${maxmemory}\r\nmaxmemory_policy:${policy}\r\n`;
  assert.match(configurationProblem(info("6.2.14", "0", "noeviction")) ?? "", /6\.2\.14 is too old/);
  assert.match(configurationProblem("") ?? "", /too old/);
  assert.equal(configurationProblem(info("7.0.0", "0", "allkeys-lru")), undefined);
  assert.equal(configurationProblem(info("8.2.1", "1000", "noeviction")), undefined);
  assert.match(configurationProblem(info("7.2.4", "1000", "volatile-ttl")) ?? "", /volatile-ttl/);
});

test("a fault of ours is no outage", () => {
  const reply = Object.assign(new Error("ERR user_script:1: a bug"), { name: "ReplyError", command: { args: ["x"] } });
  const failure = redisFailure(reply);
  assert.equal(failure.name, "ReplyError");
  assert.ok(!("command" in failure));
  reply.message = "READONLY You can't write against a read only replica.";
  assert.equal((redisFailure(reply) as Error & { code?: string }).code, "UNAVAILABLE");
});

test("slots are the server's own", async () => {
  assert.equal(slotOf("123456789"), 0x31c3);
  assert.equal(slotOf("a{b3}log"), slotOf("{b3}"));
  assert.notEqual(slotOf("{}x"), slotOf("{}y"));
  const slots = new Set(Array.from({ length: 16 }, (_, i) => slotOf(`{b${i}}`)));
  assert.equal(slots.size, 16);
});

test("topics spread evenly over buckets", () => {
  const counts = Array.from({ length: 16 }, () => 0);
  for (let i = 0; i < 16_000; i++) {
    const bucket = bucketOf(`conversation:0190${i.toString(16)}`, 16);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  assert.ok(Math.min(...counts) > 700 && Math.max(...counts) < 1_300, counts.join());
  assert.equal(bucketOf("anything", 1), 0);
});
