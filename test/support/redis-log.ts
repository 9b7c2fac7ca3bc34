/** A Redis event log with connections of its own, on a Redis that the test started. */
import { Cluster } from "ioredis";
import {
  createRedisEventLog,
  type RedisEventLog,
  type RedisEventLogOptions,
} from "../../src/adapters/event-log.redis.ts";
import { createRedisConnections, type RedisConnections } from "../../src/adapters/redis-connection.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { recordingLogger } from "./logger.fake.ts";
import { until } from "./until.ts";

export interface RedisLogNode {
  readonly log: RedisEventLog;
  readonly connections: RedisConnections;
  readonly logger: ReturnType<typeof recordingLogger>;
  readonly keyPrefix: string;
  close(): Promise<void>;
}

export interface RedisLogNodeOptions extends Partial<Omit<RedisEventLogOptions, "connections" | "logger">> {
  readonly url: string;
  readonly commandMs?: number;
  readonly checkMs?: number;
}

/** Resolves when it hears its channels. Without `keyPrefix` it sees nothing of others. */
export async function redisLogNode({
  url,
  commandMs,
  checkMs,
  ...options
}: RedisLogNodeOptions): Promise<RedisLogNode> {
  const logger = recordingLogger();
  const keyPrefix = options.keyPrefix ?? `${uuidv7()}:`;
  const connections = createRedisConnections({
    url,
    logger,
    clientName: keyPrefix,
    ...(commandMs === undefined ? {} : { commandMs }),
    ...(checkMs === undefined ? {} : { checkMs }),
  });
  await connections.start();
  const log = createRedisEventLog({ ...options, keyPrefix, connections, logger });
  await until(() => connections.subscriber.hearing, "the subscriptions");
  const close = async (): Promise<void> => {
    await log.close();
    connections.close();
  };
  return { log, connections, logger, keyPrefix, close };
}

/**
 * Lets a server's time pass for the keys of a prefix: each loses so much of its time to live. Throws when one would live
 * for ever.
 */
export async function passTime({ connections, keyPrefix }: RedisLogNode, ms: number): Promise<void> {
  const { client } = connections;
  const servers = client instanceof Cluster ? client.nodes("master") : [client];
  for (const server of servers) {
    for (const key of await server.keys(`${keyPrefix}*`)) {
      const left = await server.pttl(key);
      if (left < 0) throw new Error(`${key} never expires`);
      if (left > ms) await server.pexpire(key, left - ms);
      else await server.del(key);
    }
  }
}
