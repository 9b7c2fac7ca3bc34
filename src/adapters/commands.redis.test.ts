import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { commandChannelContract } from "../../test/contracts/commands.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { type Redis, startRedis } from "../../test/support/redis.ts";
import { until } from "../../test/support/until.ts";
import type { NodeCommand } from "../ports/commands.ts";
import { createRedisCommandChannel } from "./commands.redis.ts";
import { createRedisConnections } from "./redis-connection.ts";

let server: Redis;
let prefixes = 0;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

async function node(t: TestContext, keyPrefix: string, { url } = server) {
  const logger = recordingLogger();
  const connections = createRedisConnections({ url, logger, checkMs: 100 });
  const channel = createRedisCommandChannel({ connections, keyPrefix, logger });
  t.after(async () => {
    await channel.close();
    connections.close();
  });
  await until(() => connections.up && connections.subscriber.hearing, "the connections");
  return { channel, connections, logger };
}

commandChannelContract("commands.redis", async (t, nodes) => {
  const keyPrefix = `test${++prefixes}:`;
  return (await Promise.all(Array.from({ length: nodes }, () => node(t, keyPrefix)))).map(({ channel }) => channel);
});

test("another deployment on the same Redis, and what another version says, are not heard", async (t) => {
  const a = await node(t, "one:");
  const b = await node(t, "one:");
  const other = await node(t, "two:");
  const heard: NodeCommand[] = [];
  b.channel.listen((command) => heard.push(command));
  other.channel.publish({ kind: "run.stop", runId: "of another" });
  for (const text of ["{", "[]", '{"from":"x","command":{"kind":"run.dance"}}']) {
    await a.connections.client.spublish("one:commands", text);
  }
  a.channel.publish({ kind: "run.stop", runId: "ours" });
  await until(() => heard.length > 0, "the command");
  assert.deepEqual(heard, [{ kind: "run.stop", runId: "ours" }]);
});

test("[R8] without Redis commands are dropped, at once and said once; with it they are heard again", async (t) => {
  const own = await startRedis();
  t.after(() => own.stop());
  const a = await node(t, "p:", own);
  const b = await node(t, "p:", own);
  const heard: NodeCommand[] = [];
  b.channel.listen((command) => heard.push(command));
  let missed = 0;
  b.channel.onMissed(() => missed++);
  await own.kill();
  await until(() => !a.connections.up, "the loss to be noticed");
  for (let i = 0; i < 2_000; i++) a.channel.publish({ kind: "run.stop", runId: String(i) });
  await own.restart();
  await until(() => [a, b].every(({ connections: c }) => c.up && c.subscriber.hearing), "the connections");
  a.channel.publish({ kind: "run.wake" });
  await until(() => heard.length > 0, "the command");
  assert.deepEqual(heard, [{ kind: "run.wake" }]);
  assert.ok(missed > 0, "it is told that it may have missed something");
  const told = a.logger.lines.filter(({ message }) => message.includes("other nodes can't be told"));
  assert.equal(told.length, 1);
});
