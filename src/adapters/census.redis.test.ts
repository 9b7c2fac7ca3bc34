import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { type Redis, startRedis } from "../../test/support/redis.ts";
import { until } from "../../test/support/until.ts";
import { createRedisCensus } from "./census.redis.ts";
import { createRedisConnections } from "./redis-connection.ts";

let server: Redis;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

const EVERY_MS = 40;

async function newNode(t: TestContext, name: string, counts: Map<string, number>, limit = 4) {
  const logger = recordingLogger();
  const connections = createRedisConnections({ url: server.url, logger, commandMs: 200 });
  const census = createRedisCensus({ connections, keyPrefix: "p:", node: name, logger, everyMs: EVERY_MS });
  t.after(async () => {
    await census.close();
    connections.close();
  });
  await connections.start();
  census.start({ atLeast: (least) => [...counts].filter(([, count]) => count >= least) }, limit);
  return { census, connections, logger };
}

test("[W11] every node knows what the others have; one that is gone is forgotten; without Redis each is alone", async (t) => {
  const ada = (count: number) => new Map([["user ada", count]]);
  const here = ada(1);
  const [a, b] = [await newNode(t, "a", here), await newNode(t, "b", ada(2))];
  const c = await newNode(t, "c", ada(5));
  await until(() => a.census.elsewhere("user ada") === 7, "the counts of B and C");
  await until(() => b.census.elsewhere("user ada") === 6, "the counts of A and C");
  here.set("user ada", 3);
  await until(() => b.census.elsewhere("user ada") === 8, "the new count of A");
  assert.equal(a.census.elsewhere("user bob"), 0);
  await c.census.close();
  await until(() => a.census.elsewhere("user ada") === 2, "C to have left");
  // As one that was killed: it says nothing more.
  b.connections.close();
  await until(() => a.census.elsewhere("user ada") === 0, "B to be forgotten");
  const d = await newNode(t, "d", ada(9));
  await until(() => a.census.elsewhere("user ada") === 9, "the count of D");
  await server.kill();
  await until(() => a.census.elsewhere("user ada") === 0, "what is too old to count for nothing");
  assert.equal(a.logger.lines.filter(({ message }) => message.includes("each node alone")).length, 1);
  await server.restart();
  await until(() => a.census.elsewhere("user ada") === 9 && d.census.elsewhere("user ada") === 3, "all to be back");
});
