/** The model of delivery, on a real Redis. */
import { test } from "node:test";
import { createRedisEventLog } from "../src/adapters/event-log.redis.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import { playDelivery } from "./support/delivery-model.ts";
import { redisLogNode } from "./support/redis-log.ts";
import { startRedis } from "./support/redis.ts";

test("[L2, L6, L7, W5, W6] on Redis too, every client shows the truth", async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  const node = await redisLogNode({ url: redis.url });
  t.after(() => node.close());
  const { connections, logger } = node;
  await playDelivery(t, {
    firstSeed: 1_001,
    seeds: 40,
    makeLog: (maxEvents) => createRedisEventLog({ connections, logger, keyPrefix: `${uuidv7()}:`, maxEvents }),
  });
});
