/** The log on one Redis to which everything happens: lost replies, loss of data, restarts, pauses, cut connections. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, test } from "node:test";
import { Redis as Client } from "ioredis";
import { ParleyError } from "../src/protocol/errors.ts";
import {
  append,
  extend,
  fenced,
  newTopic,
  opened,
  stateOf,
  textOf,
  told,
  unfenced,
} from "./support/event-log-appends.ts";
import { redisLogNode, type RedisLogNode, type RedisLogNodeOptions } from "./support/redis-log.ts";
import { startRedis } from "./support/redis.ts";
import { tcpProxy, type TcpProxy } from "./support/tcp-proxy.ts";
import { until } from "./support/until.ts";

const redis = await startRedis();
const admin = new Client(redis.port, "127.0.0.1");
admin.on("error", () => undefined);
const cleanUp: (() => Promise<void>)[] = [];
after(async () => {
  for (const each of cleanUp.toReversed()) await each();
  admin.disconnect();
  await redis.stop();
});

async function node(options: Partial<RedisLogNodeOptions> = {}): Promise<RedisLogNode> {
  const made = await redisLogNode({ url: redis.url, commandMs: 500, checkMs: 300, ...options });
  cleanUp.push(() => made.close());
  return made;
}

interface Proxied {
  readonly proxy: TcpProxy;
  readonly far: RedisLogNode;
  /** What the server answers on connections that are open now is never delivered. */
  readonly holdReplies: () => void;
}

async function proxied(): Promise<Proxied> {
  const clients = new Set<Socket>();
  const proxy = await tcpProxy(redis.port, (client) => {
    clients.add(client);
    client.on("close", () => clients.delete(client));
  });
  cleanUp.push(() => proxy.close());
  const far = await node({ url: `redis://127.0.0.1:${proxy.port}` });
  return {
    proxy,
    far,
    holdReplies: () => {
      for (const client of clients) client.cork();
    },
  };
}

const unavailable = (error: unknown): boolean => error instanceof ParleyError && error.code === "UNAVAILABLE";

/** As a caller that waits between its tries. */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  let answer: { readonly of: T } | undefined;
  await until(async () => {
    answer = await call().then(
      (of) => ({ of }),
      (error: unknown) => {
        if (!unavailable(error)) throw error;
        return undefined;
      },
    );
    return answer !== undefined;
  }, "Redis to answer");
  assert.ok(answer);
  return answer.of;
}

test("[L3] a reply that is lost after the script ran: the repeat is answered with the same seqs", async () => {
  const { proxy, far, holdReplies } = await proxied();
  const near = await node({ keyPrefix: far.keyPrefix });
  const topic = newTopic();
  const epoch = await opened(far.log, topic);
  // The script is known by now, so that it runs as soon as its call arrives.
  await append(far.log, fenced(1, { topic, epoch, accumulate: extend("m", 0, "a") }));
  for (let n = 2; n < 30; n++) {
    const batch = [fenced(n, { topic, epoch, accumulate: extend("m", n - 1, "b") }), unfenced(topic, `id-${n}`)];
    const seq = (n - 1) * 2;
    holdReplies();
    const answer = assert.rejects(far.log.append(batch), unavailable);
    await until(async () => (await stateOf(near.log, topic)).seq === seq + 1, "the script to have run");
    proxy.cut();
    await answer;
    proxy.mend();
    const again = await patiently(() => far.log.append(batch));
    assert.deepEqual(
      again,
      [seq, seq + 1].map((at) => ({ ok: true, seq: at, duplicate: true })),
    );
  }
  const state = await stateOf(near.log, topic);
  assert.deepEqual([state.seq, textOf(state, "m"), state.complete], [57, `a${"b".repeat(28)}`, true]);
});

test("[R8] a network that swallows everything: calls fail in time, and it heals by itself", async () => {
  const { proxy, far } = await proxied();
  const topic = newTopic();
  const epoch = await opened(far.log, topic);
  const heard: number[] = [];
  far.log.subscribe(topic, ({ entries }) => heard.push(...entries.map(({ seq }) => seq)));
  let reconnects = 0;
  far.log.onReconnect(() => reconnects++);
  proxy.freeze();
  const started = performance.now();
  await assert.rejects(far.log.append([fenced(1, { topic, epoch })]), unavailable);
  const took = performance.now() - started;
  assert.ok(took < 3_000, `${Math.round(took)} ms`);
  await assert.rejects(far.log.heads([topic]), unavailable);
  proxy.mend();
  const results = await patiently(() => far.log.append([fenced(1, { topic, epoch })]));
  assert.equal(results[0]?.ok, true);
  await until(() => reconnects > 0 && far.connections.subscriber.hearing, "the subscription");
  await append(far.log, fenced(2, { topic, epoch }));
  await until(() => heard.includes(2), "an entry after it");
});

test("[L4] FLUSHALL: the topic is gone, and its owner's open is a new epoch", async () => {
  const { log } = await node();
  const topic = newTopic();
  const epoch = await opened(log, topic);
  await append(log, fenced(1, { topic, epoch }));
  await admin.flushall();
  assert.deepEqual((await append(log, fenced(2, { topic, epoch }))).map(told), ["NO_EPOCH"]);
  assert.deepEqual(await log.heads([topic]), [null]);
  const text = { messageId: "m", partIndex: 0, part: { type: "text" as const }, text: "so far 😀" };
  const again = await log.open({ topic, epoch: "next", fence: 1, accumulators: [text], owner: true });
  assert.deepEqual(again.state.accumulators, [text]);
  assert.deepEqual(
    (await append(log, fenced(1, { topic, epoch: "next", accumulate: extend("m", 9, "!") }))).map(told),
    [1],
  );
  assert.equal(textOf(await stateOf(log, topic), "m"), "so far 😀!");
});

test("[L4] scripts that the server has forgotten are sent again", async () => {
  const { log } = await node();
  const topic = newTopic();
  await opened(log, topic);
  await admin.script("FLUSH");
  assert.deepEqual((await append(log, unfenced(topic, "a"))).map(told), [1]);
  await admin.script("FLUSH");
  assert.deepEqual(
    (await log.heads([topic])).map((head) => head?.seq),
    [1],
  );
});

test("[L4] a server with the same data under another replication id: every topic is gone", async () => {
  const { log, keyPrefix } = await node();
  const topic = newTopic();
  const epoch = await opened(log, topic);
  await append(log, unfenced(topic, "a"));
  const before = /master_replid:(\w+)/.exec(await admin.info("replication"))?.[1];
  // The first replica makes the server begin a new history; its data stay.
  const replica = await startRedis({ replicaof: `127.0.0.1 ${redis.port}` });
  await until(async () => (await admin.info("replication")).includes("state=online"), "the replica");
  assert.notEqual(/master_replid:(\w+)/.exec(await admin.info("replication"))?.[1], before);
  assert.ok((await admin.keys(`${keyPrefix}*`)).length > 0);
  assert.deepEqual((await append(log, unfenced(topic, "b"))).map(told), ["NO_EPOCH"]);
  assert.equal(await log.state(topic), null);
  assert.deepEqual(await log.seal(topic, 9), { ok: false, reason: "NO_EPOCH" });
  const next = await log.open({ topic, epoch: "next", fence: 0, accumulators: [], owner: false });
  assert.deepEqual([next.ok, next.state.seq, next.state.complete], [true, 0, false]);
  assert.deepEqual(await log.read(topic, { epoch, seq: 0 }, 10), { ok: false, reason: "WRONG_EPOCH" });

  // A replica answers nothing, not even what it could.
  const reader = await redisLogNode({ url: replica.url, keyPrefix, commandMs: 500 });
  await assert.rejects(reader.log.heads([topic]), unavailable);
  await reader.close();
  await replica.stop();
});

test("[R8] a restart that loses everything: calls fail while it is away, then the topic is gone", async () => {
  const { log, connections, logger } = await node();
  const topic = newTopic();
  const epoch = await opened(log, topic);
  const heard: string[] = [];
  log.subscribe(topic, (published) => heard.push(published.epoch));
  let reconnects = 0;
  log.onReconnect(() => reconnects++);
  await redis.kill();
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    await assert.rejects(log.append([fenced(1, { topic, epoch })]), unavailable);
    assert.ok(performance.now() - started < 2_000);
  }
  await until(() => !connections.up, "the connection to be down");
  await redis.restart();
  const results = await patiently(() => log.append([fenced(1, { topic, epoch })]));
  assert.deepEqual(results.map(told), ["NO_EPOCH"]);
  await until(() => reconnects > 0 && connections.subscriber.hearing, "the subscription");
  const next = await opened(log, topic);
  await append(log, fenced(1, { topic, epoch: next }));
  await until(() => heard.includes(next), "an entry of the new epoch");
  const said = logger.lines.filter(({ level }) => level === "warn" || level === "info").map(({ message }) => message);
  assert.ok(said.length <= 6, said.join("\n"));
  assert.ok(
    said.some((message) => message.includes("back")),
    said.join("\n"),
  );
});

test("[R8] a server that pauses for 5 s: no call hangs, nothing is doubled or lost after it", async () => {
  const { log } = await node();
  const topic = newTopic();
  const epoch = await opened(log, topic);
  await append(log, fenced(1, { topic, epoch }));
  await admin.client("PAUSE", 5_000);
  const started = performance.now();
  const batch = [fenced(2, { topic, epoch }), fenced(3, { topic, epoch })];
  let failures = 0;
  let results: readonly { readonly ok: boolean }[] | undefined;
  await until(async () => {
    const asked = performance.now();
    results = await log.append(batch).catch((error: unknown) => {
      assert.ok(unavailable(error), String(error));
      failures++;
      return undefined;
    });
    assert.ok(performance.now() - asked < 3_000, "a call hung");
    return results !== undefined;
  }, "the server to go on");
  assert.ok(performance.now() - started > 3_000);
  assert.ok(failures > 0);
  assert.ok(results?.every(({ ok }) => ok));
  assert.equal((await stateOf(log, topic)).seq, 3);
});

test("[L6] killed subscriber connections: whoever listens is told, and hears again", async () => {
  const { log, connections } = await node();
  const topic = newTopic();
  await opened(log, topic);
  const heard: number[] = [];
  log.subscribe(topic, ({ entries }) => heard.push(...entries.map(({ seq }) => seq)));
  for (let round = 1; round <= 5; round++) {
    let told = 0;
    const stop = log.onReconnect(() => told++);
    await admin.call("CLIENT", "KILL", "TYPE", "pubsub");
    await until(() => told > 0 && connections.subscriber.hearing, "the subscription");
    stop();
    await append(log, unfenced(topic, `${round}`));
    await until(() => heard.includes(round), "the entry");
  }
});

test("[L2] few connections and subscriptions, whatever the number of topics", async () => {
  const { log, keyPrefix } = await node();
  for (let i = 0; i < 2_000; i++) log.subscribe(newTopic(), () => undefined);
  const channels = (await admin.call("PUBSUB", "SHARDCHANNELS", `${keyPrefix}*`)) as string[];
  assert.deepEqual(channels, [`${keyPrefix}{b0}l2`]);
  const clients = String(await admin.client("LIST")).split("\n");
  assert.equal(clients.filter((line) => line.includes(` name=${keyPrefix} `)).length, 2);
});

test("[L9] an idle topic expires by the server's clock, an append keeps it", async () => {
  const { log, keyPrefix } = await node({ idleMs: -58_500 });
  const topic = newTopic();
  await opened(log, topic);
  await append(log, unfenced(topic, "a", { accumulate: extend("m", 0, "x") }));
  assert.ok((await admin.keys(`${keyPrefix}*`)).length >= 4);
  await until(async () => (await log.heads([topic]))[0] === null, "the topic to expire");
  await until(async () => (await admin.keys(`${keyPrefix}*`)).length === 0, "all of its keys to expire");
});

test("[L9] a text that the server evicted leaves the accumulators incomplete", async () => {
  const { log, keyPrefix } = await node();
  const topic = newTopic();
  const epoch = await opened(log, topic);
  await append(log, fenced(1, { topic, epoch, accumulate: extend("m", 0, "lost") }));
  assert.equal(await admin.del(`${keyPrefix}{b0}l2:${topic}/a1`), 1);
  assert.equal((await stateOf(log, topic)).complete, false);
  await append(log, fenced(2, { topic, epoch, accumulate: extend("m", 4, " tail") }));
  assert.equal((await stateOf(log, topic)).complete, false);
});
