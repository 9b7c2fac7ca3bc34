/**
 * The session cache in Redis: one string a session, JSON or "-" for one that has ended, with an expiry. Tokens never
 * come here, only their hashes.
 */
import type { Cluster, Redis } from "ioredis";
import { z } from "zod";
import type { SessionCache } from "../ports/session-cache.ts";
import type { StoredSession } from "../ports/store.ts";
import { redisFailure } from "./redis-errors.ts";

export interface RedisSessionCacheOptions {
  readonly client: Redis | Cluster;
  readonly keyPrefix: string;
  readonly keepMs?: number;
}

const ENDED = "-";

const named = z.object({ id: z.string(), name: z.string() });
/** What another version wrote and this one can't read is not there. */
const stored = z.object({
  id: z.string(),
  user: named,
  tenant: named,
  roles: z.array(z.string()),
  device: z.string(),
  createdAt: z.string(),
  lastSeenAt: z.string(),
  expiresAt: z.string(),
});

export function createRedisSessionCache(options: RedisSessionCacheOptions): SessionCache {
  const { client, keyPrefix, keepMs = 60_000 } = options;
  const keyOf = (tokenHash: string) => `${keyPrefix}session:${tokenHash}`;

  return {
    async read(tokenHash) {
      const value = await known(client.get(keyOf(tokenHash)));
      return value === ENDED ? "ended" : value === null ? undefined : parse(value);
    },
    async write(tokenHash, session) {
      // Answers what stood there, in the same step: a revocation that came between stays.
      const before = await known(client.set(keyOf(tokenHash), JSON.stringify(session), "PX", keepMs, "NX", "GET"));
      return before !== ENDED;
    },
    async ended(tokenHash) {
      await known(client.set(keyOf(tokenHash), ENDED, "PX", keepMs * 2));
    },
  };
}

async function known<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw redisFailure(error);
  }
}

function parse(value: string): StoredSession | undefined {
  try {
    return stored.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined;
  }
}
