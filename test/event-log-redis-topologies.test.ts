/** The log on a Redis Cluster and behind a Sentinel, with real servers. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Cluster, Redis as Client } from "ioredis";
import type { Published } from "../src/ports/event-log.ts";
import { ParleyError } from "../src/protocol/errors.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import { eventLogContract } from "./contracts/event-log.ts";
import { append, fenced, insist, newTopic, opened, told, unfenced } from "./support/event-log-appends.ts";
import { startRedisCluster } from "./support/redis-cluster.ts";
import { passTime, redisLogNode, type RedisLogNode } from "./support/redis-log.ts";
import { startRedisSentinel } from "./support/redis-sentinel.ts";
import { until } from "./support/until.ts";

const cluster = await startRedisCluster();
const nodes: RedisLogNode[] = [];
after(async () => {
  for (const node of nodes) await node.close();
  await cluster.stop();
});

async function clusterNode(keyPrefix?: string): Promise<RedisLogNode> {
  const node = await redisLogNode({ url: cluster.url, ...(keyPrefix === undefined ? {} : { keyPrefix }) });
  nodes.push(node);
  return node;
}

eventLogContract("redis cluster", async () => {
  const node = await clusterNode();
  return { log: node.log, reliable: true, idle: () => passTime(node, 3_660_000) };
});

/** Asks again while Redis is away, for as long as a failover takes. */
async function answered<T>(call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 30_000;
  let answer: { readonly of: T } | undefined;
  await until(
    async () => {
      answer = await call().then(
        (of) => ({ of }),
        (error: unknown) => {
          const unavailable = error instanceof ParleyError && error.code === "UNAVAILABLE";
          if (!unavailable || performance.now() > deadline) throw error;
          return undefined;
        },
      );
      return answer !== undefined;
    },
    "an answer",
    40_000,
  );
  assert.ok(answer);
  return answer.of;
}

test("[L5] topics of a Cluster lie on all masters, and every node hears all of them", async () => {
  const writer = await clusterNode();
  const reader = await clusterNode(writer.keyPrefix);
  const topics = Array.from({ length: 60 }, () => newTopic());
  const heard = new Map<string, number>();
  for (const topic of topics) {
    await opened(writer.log, topic);
    reader.log.subscribe(topic, ({ entries }) => heard.set(topic, (heard.get(topic) ?? 0) + entries.length));
  }
  const batch = topics.flatMap((topic) => [unfenced(topic, "a"), unfenced(topic, "b")]);
  assert.deepEqual(
    (await append(writer.log, ...batch)).map(told),
    topics.flatMap(() => [1, 2]),
  );
  await until(() => heard.size === topics.length, "all topics");
  assert.ok([...heard.values()].every((count) => count === 2));
  assert.deepEqual(
    (await insist(() => reader.log.heads(topics))).map((head) => head?.seq),
    topics.map(() => 2),
  );
  const { client } = writer.connections;
  assert.ok(client instanceof Cluster);
  for (const master of client.nodes("master")) {
    assert.ok((await master.keys(`${writer.keyPrefix}*`)).length > 0, "a master has none of them");
    const channels = (await master.call("PUBSUB", "SHARDCHANNELS", `${writer.keyPrefix}*`)) as string[];
    assert.ok(channels.length > 0 && channels.length < 16);
  }
});

test("[L4] a Cluster's master that restarts is a new epoch for its topics, and its channels are heard again", async () => {
  const node = await clusterNode();
  const topics = Array.from({ length: 40 }, () => newTopic());
  for (const topic of topics) await opened(node.log, topic);
  const heard = new Set<string>();
  for (const topic of topics) node.log.subscribe(topic, ({ epoch }: Published) => heard.add(`${topic} ${epoch}`));
  let reconnects = 0;
  node.log.onReconnect(() => reconnects++);
  const [master] = cluster.masters;
  await master?.kill();
  await master?.restart();
  await until(() => reconnects > 0 && node.connections.subscriber.hearing, "the channels", 20_000);
  const heads = await answered(() => node.log.heads(topics));
  const gone = topics.filter((_, i) => heads[i] === null);
  assert.ok(gone.length > 0 && gone.length < topics.length, `${gone.length} of ${topics.length} are gone`);
  for (const topic of gone) {
    const epoch = await opened(node.log, topic);
    await append(node.log, unfenced(topic, "again"));
    await until(() => heard.has(`${topic} ${epoch}`), "an entry of the new epoch");
  }
});

test("[L4] a failover that loses writes, and the way back, are new epochs: never a wrong tail", async (t) => {
  const sentinel = await startRedisSentinel();
  t.after(() => sentinel.stop());
  const node = await redisLogNode({ url: sentinel.url, commandMs: 1_000 });
  t.after(() => node.close());
  const { log } = node;
  const [topic, quiet] = [newTopic(), newTopic()];
  const epoch = await opened(log, topic);
  await opened(log, quiet);
  await append(log, fenced(1, { topic, epoch }));
  const replica = new Client(sentinel.two.port, "127.0.0.1");
  t.after(() => replica.disconnect());
  await until(async () => (await replica.keys(`${node.keyPrefix}*`)).length >= 3, "the replica");

  // From here on the replica misses what is written.
  await replica.replicaof("127.0.0.1", 1);
  assert.deepEqual((await append(log, fenced(2, { topic, epoch }), fenced(3, { topic, epoch }))).map(told), [2, 3]);
  let reconnects = 0;
  log.onReconnect(() => reconnects++);
  await sentinel.one.kill();
  await until(async () => (await sentinel.masterPort()) === sentinel.two.port, "the failover", 30_000);
  assert.deepEqual(await answered(() => log.heads([topic, quiet])), [null, null]);
  assert.deepEqual((await answered(() => log.append([fenced(4, { topic, epoch })]))).map(told), ["NO_EPOCH"]);
  assert.deepEqual(await answered(() => log.read(topic, { epoch, seq: 1 }, 10)), { ok: false, reason: "NO_EPOCH" });
  await until(() => reconnects > 0 && node.connections.subscriber.hearing, "the channels", 20_000);
  const second = uuidv7();
  await answered(() => log.open({ topic, epoch: second, fence: 1, accumulators: [], owner: true }));
  const heard: Published[] = [];
  log.subscribe(topic, (published) => heard.push(published));
  assert.deepEqual((await answered(() => log.append([fenced(1, { topic, epoch: second })]))).map(told), [1]);
  await until(() => heard.length > 0, "the new epoch's first entry");
  assert.equal(heard[0]?.epoch, second);

  await sentinel.one.restart();
  // As the Sentinel does too, when it has waited for some ten seconds.
  const old = new Client(sentinel.one.port, "127.0.0.1");
  t.after(() => old.disconnect());
  await old.replicaof("127.0.0.1", sentinel.two.port);
  await until(
    async () => (await replica.info("replication")).includes("state=online"),
    "the old master to be a replica",
    30_000,
  );
  await sentinel.failover();
  await until(async () => (await sentinel.masterPort()) === sentinel.one.port, "the way back", 30_000);
  await until(
    async () => (await log.heads([topic]).catch(() => ["unknown"]))[0] === null,
    "the second epoch to be over",
    30_000,
  );
  const third = uuidv7();
  const reopened = await answered(() => log.open({ topic, epoch: third, fence: 1, accumulators: [], owner: true }));
  assert.deepEqual([reopened.ok, reopened.state.epoch, reopened.state.seq], [true, third, 0]);
});
