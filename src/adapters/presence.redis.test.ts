import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test, type TestContext } from "node:test";
import { presenceContract } from "../../test/contracts/presence.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { type Redis, startRedis } from "../../test/support/redis.ts";
import { until } from "../../test/support/until.ts";
import { TEXT } from "../ports/event-log.ts";
import type { Presence } from "../ports/presence.ts";
import { createRedisEventLog } from "./event-log.redis.ts";
import { createRedisPresence } from "./presence.redis.ts";
import { createRedisConnections, type RedisConnections } from "./redis-connection.ts";

let server: Redis;
let prefixes = 0;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

interface Node {
  readonly presence: Presence;
  readonly connections: RedisConnections;
}

async function node(t: TestContext, keyPrefix: string, ttlMs = 600_000, { url } = server): Promise<Node> {
  const connections = createRedisConnections({ url, logger: recordingLogger(), checkMs: 100 });
  const presence = createRedisPresence({ connections, keyPrefix, ttlMs });
  t.after(() => {
    presence.close();
    connections.close();
  });
  await until(() => connections.up && connections.subscriber.hearing, "the connections");
  return { presence, connections };
}

presenceContract("presence.redis", async (t, ttlMs) => {
  const keyPrefix = `test${++prefixes}:`;
  const [a, b] = await Promise.all([node(t, keyPrefix, ttlMs), node(t, keyPrefix, ttlMs)]);
  return [a.presence, b.presence];
});

const TOPIC = "conversation:c";
const ANN = { memberId: "1", user: { id: "u", name: "Ann" }, state: "active" } as const;

test("[L10] presence.redis: a key has the log's tag and an expiry; what nobody understands is not there", async (t) => {
  const { presence, connections } = await node(t, "one:");
  const other = await node(t, "two:");
  const heard: string[] = [];
  presence.listen((_topic, { memberId }) => heard.push(memberId));
  await presence.update(TOPIC, ANN);
  assert.deepEqual(await other.presence.list(TOPIC), []);
  const key = `one:{b0}presence:${TOPIC}`;
  assert.ok((await connections.client.pttl(key)) > 0);
  await connections.client.hset(key, "2", "nothing", "3", "99999999999999 dancing {}", "4", "99999999999999 active [");
  for (const text of ["", "active", `active ${TOPIC} {`, `dancing ${TOPIC} {"memberId":"5"}`, `active ${TOPIC} null`]) {
    await connections.client.spublish("one:{b0}presence", text);
  }
  assert.deepEqual(await presence.list(TOPIC), [ANN]);
  await presence.update(TOPIC, { ...ANN, memberId: "6" });
  await until(() => heard.includes("6"), "the last change");
  assert.deepEqual(heard, ["1", "6"]);
});

test("[L10] presence.redis: the log of the same topic is not touched", async (t) => {
  const { presence, connections } = await node(t, "both:");
  const log = createRedisEventLog({ connections, keyPrefix: "both:", logger: recordingLogger() });
  t.after(() => log.close());
  await presence.update(TOPIC, ANN);
  const accumulators = [{ messageId: "m", partIndex: 0, part: TEXT, text: "so far" }];
  await log.open({ topic: TOPIC, epoch: "e", fence: 1, accumulators, owner: true });
  assert.deepEqual((await log.state(TOPIC))?.accumulators, accumulators);
  assert.deepEqual(await presence.list(TOPIC), [ANN]);
  await presence.remove(TOPIC, ANN.memberId);
  assert.deepEqual((await log.state(TOPIC))?.accumulators, accumulators);
});

test("[L10] [R8] presence.redis: without Redis everything rejects with UNAVAILABLE", async (t) => {
  const own = await startRedis();
  t.after(() => own.stop());
  const { presence, connections } = await node(t, "p:", 600_000, own);
  await own.kill();
  await until(() => !connections.up, "the loss to be noticed");
  const unavailable = { code: "UNAVAILABLE" };
  await assert.rejects(presence.update(TOPIC, ANN), unavailable);
  await assert.rejects(presence.remove(TOPIC, "1"), unavailable);
  await assert.rejects(presence.list(TOPIC), unavailable);
});

test("[L10] presence.redis: who was at a node that was killed with -9 is gone when the time is over", async (t) => {
  const ttlMs = 1_500;
  const { presence, connections } = await node(t, "killed:", ttlMs);
  const heard: string[] = [];
  presence.listen((_topic, { memberId, state }) => heard.push(`${memberId} ${state}`));
  const script = new URL("../../test/support/presence-process.ts", import.meta.url).pathname;
  const args = [script, server.url, "killed:", String(ttlMs), TOPIC];
  const other = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => other.kill("SIGKILL"));
  await once(other.stdout, "data");
  const there = async () => (await presence.list(TOPIC)).map(({ memberId }) => memberId);
  assert.deepEqual(await there(), ["of the dead"]);
  const dead = once(other, "exit");
  other.kill("SIGKILL");
  await dead;
  // Somebody else stays, and looks: the hash as such lives on.
  const stays = setInterval(() => {
    presence.update(TOPIC, ANN).catch(assert.fail);
  }, ttlMs / 3);
  t.after(() => clearInterval(stays));
  await until(async () => (await there()).join() === ANN.memberId, "the dead to be gone", 20_000);
  await until(() => heard.includes("of the dead gone"), "those who stay to be told");
  clearInterval(stays);
  await until(async () => (await connections.client.exists(`killed:{b0}presence:${TOPIC}`)) === 0, "the key to end");
});
