/** Everything that a node shares through Redis, over the connections of one process. */
import type { BreakerStore } from "../ports/breaker.ts";
import type { ClusterPorts } from "../ports/cluster.ts";
import type { EventLog } from "../ports/event-log.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Peers } from "../ports/peers.ts";
import type { Presence } from "../ports/presence.ts";
import { uuidv7 } from "../protocol/id.ts";
import { createRedisBreakerStore } from "./breaker-store.redis.ts";
import { createRedisCensus } from "./census.redis.ts";
import { createRedisCommandChannel } from "./commands.redis.ts";
import { createRedisEventLog } from "./event-log.redis.ts";
import { createRedisLoginCodes } from "./login-codes.redis.ts";
import { createRedisLoginLimiter } from "./login-limiter.redis.ts";
import { createRedisPeers } from "./peers.redis.ts";
import { createRedisPresence } from "./presence.redis.ts";
import { createRedisConnections } from "./redis-connection.ts";
import { RedisHealth } from "./redis-health.ts";
import { createRedisSessionCache } from "./session-cache.redis.ts";

export interface SharedOptions {
  readonly redisUrl: string;
  readonly keyPrefix: string;
  /** Names the database: `PostgresDatabase.deployment`. */
  readonly deployment: string;
  readonly nodeId: string;
  /** Where nodes say how they are, besides Redis: by the id that this start has there. */
  readonly peers: (node: string) => Peers;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface Shared {
  readonly log: EventLog;
  readonly breakers: BreakerStore;
  readonly presence: Presence;
  readonly cluster: ClusterPorts;
}

/** Rejects with `StartError` when Redis can't be used. */
export async function openShared(options: SharedOptions): Promise<Shared> {
  const { redisUrl, keyPrefix, deployment, nodeId, logger, metrics } = options;
  const connections = createRedisConnections({ url: redisUrl, logger, clientName: `parley-${nodeId}` });
  const health = new RedisHealth({ connections, keyPrefix, deployment, metrics, logger });
  try {
    await health.start();
  } catch (error) {
    health.close();
    connections.close();
    throw error;
  }
  const { client } = connections;
  const node = uuidv7();
  const census = createRedisCensus({ connections, keyPrefix, node, logger });
  const commands = createRedisCommandChannel({ connections, keyPrefix, logger });
  return {
    log: createRedisEventLog({ connections, keyPrefix, logger }),
    breakers: createRedisBreakerStore({ client, keyPrefix }),
    presence: createRedisPresence({ connections, keyPrefix }),
    cluster: {
      commands,
      sessions: createRedisSessionCache({ client, keyPrefix }),
      loginCodes: createRedisLoginCodes({ client, keyPrefix }),
      loginLimiter: createRedisLoginLimiter({ client, keyPrefix, logger }),
      census,
      peers: [createRedisPeers({ connections, keyPrefix, node }), options.peers(node)],
      dependency: health,
      close: async () => {
        await Promise.all([commands.close(), census.close()]);
        health.close();
        connections.close();
      },
    },
  };
}
