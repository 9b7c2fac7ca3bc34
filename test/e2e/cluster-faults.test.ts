/** Nodes of the built program that are cut off from Redis, or from each other: nothing hangs, nothing is lost. */
import assert from "node:assert/strict";
import test, { after, before, type TestContext } from "node:test";
import { type Client, createClient } from "../../src/client/client.ts";
import { openConversation } from "../../src/client/conversation.ts";
import { messagesOf } from "../../src/client/transcript.ts";
import { ACCESS_TOKEN, type Parley, runParley, startParley } from "../support/parley.ts";
import { partText } from "../support/part-text.ts";
import { type Postgres, startPostgres } from "../support/postgres.ts";
import { type Redis, startRedis } from "../support/redis.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

const LIMIT = { timeout: 150_000 };

let postgres: Postgres;
let redis: Redis;
/** The way of node B to Redis. */
let network: TcpProxy;
let a: Parley;
let b: Parley;
before(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  network = await tcpProxy(redis.port);
  const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url };
  [a, b] = await Promise.all([
    startParley({ ...env, PARLEY_NODE_ID: "a" }, { prepared: false }),
    startParley({ ...env, PARLEY_NODE_ID: "b", REDIS_URL: `redis://127.0.0.1:${network.port}` }, { prepared: false }),
  ]);
});
after(async () => {
  await Promise.all([a?.remove(), b?.remove()]);
  await network?.close();
  await Promise.all([postgres?.stop(), redis?.stop()]);
});

function connect(t: TestContext, to: Parley): Client {
  const client = createClient({ url: `${to.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
  t.after(() => client.close());
  return client;
}

async function status(of: Parley, path: string) {
  const response = await fetch(`${of.url}${path}`, { signal: AbortSignal.timeout(8_000) });
  return { code: response.status, body: await response.text() };
}

test(
  "[R8][R11] a stop and a revocation reach a node that no command reaches, by its next looks at the database",
  LIMIT,
  async (t) => {
    const [atA, atB] = [connect(t, a), connect(t, b)];
    const { conversation } = await atB.call("conversation.create", {});
    const reader = openConversation(atA, conversation.id);
    t.after(() => reader.close());
    await until(() => reader.state.status === "open", "the reader to follow");
    const text = "count to 5000";
    await atB.call("chat.send", { conversationId: conversation.id, text, idempotencyKey: "a run at B" });
    const answer = () => messagesOf(reader.state.transcript).find(({ role }) => role === "assistant");
    await until(() => (answer()?.parts.map(partText).join("").length ?? 0) > 20, "some text");
    const { sessions } = await atA.call("session.list", {});
    const ofB = sessions.filter(({ current }) => !current);
    assert.equal(ofB.length, 1);

    network.cut();
    const from = performance.now();
    const took = () => Math.round(performance.now() - from);
    await atA.call("chat.stop", { conversationId: conversation.id });
    await atA.call("session.revoke", { sessionId: ofB[0]?.id ?? "" });
    await until(() => answer()?.status === "stopped", "the stop", 15_000);
    t.diagnostic(`stopped after ${took()} ms`);
    assert.equal(atB.state.phase, "ready");
    await until(() => atB.state.phase !== "ready", "the end of the session at B", 60_000);
    t.diagnostic(`revoked after ${took()} ms`);
    network.mend();
    await until(async () => (await status(b, "/readyz")).code === 200, "B to be ready", 30_000);
  },
);

test(
  "[R8] without Redis a node says so, hangs nowhere, is alive, and is not ready after ten seconds; then all goes on",
  LIMIT,
  async (t) => {
    const client = connect(t, a);
    const { conversation } = await client.call("conversation.create", {});
    const reader = openConversation(client, conversation.id);
    t.after(() => reader.close());
    const answer = () => messagesOf(reader.state.transcript).findLast(({ role }) => role === "assistant");
    reader.send("count to 300");
    await until(() => (answer()?.parts.map(partText).join("").length ?? 0) > 20, "some text");
    assert.equal((await status(a, "/readyz")).code, 200);
    await redis.kill();
    await until(async () => (await status(a, "/health")).code === 503, "the loss to be noticed");
    assert.match((await status(a, "/health")).body, /Redis does not answer/);
    assert.equal((await status(a, "/readyz")).code, 200, "not at once");
    const from = performance.now();
    await client.call("conversation.list", {});
    await client.call("session.list", {});
    assert.ok(performance.now() - from < 5_000, "what needs no log is answered");
    await until(async () => (await status(a, "/readyz")).code === 503, "it to be not ready", 20_000);
    assert.match((await status(a, "/readyz")).body, /Redis/);
    assert.equal((await status(a, "/livez")).code, 200);
    assert.match((await status(a, "/metrics")).body, /^parley_redis_up 0$/m);
    // Empty: every topic is made anew by the owner of its run.
    await redis.restart();
    await until(async () => (await status(a, "/readyz")).code === 200, "it to be ready", 20_000);
    await until(() => answer()?.status === "complete", "the whole answer", 60_000);
    assert.equal(answer()?.parts.map(partText).join(""), Array.from({ length: 300 }, (_, i) => i + 1).join(" "));
  },
);

test("a start that would do harm is refused with what to do", LIMIT, async () => {
  const other = await postgres.createDatabase("another");
  const evicting = await startRedis({ maxmemory: "100mb", "maxmemory-policy": "allkeys-lru" });
  const start = (env: Record<string, string>) =>
    runParley({ PARLEY_WS_PORT: "0", DATABASE_URL: postgres.url, REDIS_URL: redis.url, ...env });
  const secret = "redis://:hunter2@127.0.0.1:1";
  try {
    const [mixed, policy, nobody] = await Promise.all([
      start({ DATABASE_URL: other }),
      start({ REDIS_URL: evicting.url, PARLEY_KEY_PREFIX: "x:" }),
      start({ REDIS_URL: secret }),
    ]);
    assert.deepEqual([mixed.code, policy.code, nobody.code], [2, 2, 2], mixed.output + policy.output + nobody.output);
    assert.match(mixed.output, /Another deployment.*PARLEY_KEY_PREFIX/);
    assert.match(policy.output, /maxmemory-policy is allkeys-lru/);
    assert.match(nobody.output, /Redis does not answer at REDIS_URL/);
    assert.doesNotMatch(nobody.output, /hunter2/);
  } finally {
    await evicting.stop();
  }
});
