/**
 * Refused logins over all nodes, in Redis: so many in a window of an address, then none until the window ends. Without
 * Redis it lets everybody through: the count of each process stands in front of it.
 */
import type { Cluster, Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import type { Logger } from "../ports/logger.ts";
import type { LoginLimiter } from "../ports/login-limiter.ts";
import { redisFailure } from "./redis-errors.ts";

export interface RedisLoginLimiterOptions {
  readonly client: Redis | Cluster;
  readonly keyPrefix: string;
  readonly logger: Logger;
  /** Refusals of an address in `windowSeconds`. */
  readonly refusals?: number;
  readonly windowSeconds?: number;
}

export function createRedisLoginLimiter(options: RedisLoginLimiterOptions): LoginLimiter {
  const { client, keyPrefix, logger, refusals = 40, windowSeconds = 120 } = options;
  const limiter = new RateLimiterRedis({
    storeClient: client,
    keyPrefix: `${keyPrefix}login`,
    points: refusals,
    duration: windowSeconds,
    // At once, instead of after the time limit of a command.
    rejectIfRedisNotReady: true,
  });
  let away = false;

  function answered(): void {
    if (away) logger.info({}, "logins are counted over all nodes again");
    away = false;
  }
  function failed(error: unknown): void {
    if (!away) logger.warn({ err: redisFailure(error) }, "logins are counted by each node alone");
    away = true;
  }

  return {
    async wait(address) {
      try {
        const row = await limiter.get(address);
        answered();
        // Points that are left may be none while the window ends this very moment.
        return row === null || row.remainingPoints > 0 ? 0 : Math.max(1, row.msBeforeNext);
      } catch (error) {
        failed(error);
        return 0;
      }
    },
    failed(address) {
      limiter.consume(address).then(answered, (error: unknown) => {
        // More than there are: that is an answer, and no error.
        if (error instanceof Error) failed(error);
        else answered();
      });
    },
  };
}
