import { after } from "node:test";
import { eventLogContract } from "../../test/contracts/event-log.ts";
import { FaultyEventLog } from "../../test/support/event-log.faulty.ts";
import { passTime, redisLogNode, type RedisLogNode } from "../../test/support/redis-log.ts";
import { startRedis } from "../../test/support/redis.ts";

const HOUR = 3_600_000;

const redis = await startRedis();
const nodes: RedisLogNode[] = [];
after(async () => {
  for (const node of nodes) await node.close();
  await redis.stop();
});

for (const seed of [1, 2]) {
  eventLogContract(`faulty redis, seed ${seed}`, async () => {
    const node = await redisLogNode({ url: redis.url });
    nodes.push(node);
    const log = new FaultyEventLog(() => node.log, seed);
    return { log, reliable: false, idle: () => passTime(node, HOUR + 60_000) };
  });
}

eventLogContract("redis", async () => {
  const node = await redisLogNode({ url: redis.url });
  nodes.push(node);
  return { log: node.log, reliable: true, idle: () => passTime(node, HOUR + 60_000) };
});
