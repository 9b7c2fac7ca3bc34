/** Login codes in Redis: a string each, with an expiry, under the hash of the code. */
import type { Cluster, Redis } from "ioredis";
import type { LoginCodeStore } from "../ports/login-codes.ts";
import { redisFailure } from "./redis-errors.ts";

export interface RedisLoginCodeOptions {
  readonly client: Redis | Cluster;
  readonly keyPrefix: string;
}

export function createRedisLoginCodes({ client, keyPrefix }: RedisLoginCodeOptions): LoginCodeStore {
  const keyOf = (hash: string) => `${keyPrefix}code:${hash}`;
  return {
    async put(hash, lifeMs) {
      try {
        await client.set(keyOf(hash), "1", "PX", lifeMs);
      } catch (error) {
        throw redisFailure(error);
      }
    },
    async take(hash) {
      try {
        return (await client.getdel(keyOf(hash))) !== null;
      } catch (error) {
        throw redisFailure(error);
      }
    },
  };
}
