/**
 * Circuit breakers in Redis: one string a breaker, "<version> <JSON>", with an expiry. Its clock is the server's. A
 * version is the microsecond of its write, and more than the one before: a breaker that was forgotten and written anew
 * has another.
 */
import type { Cluster, Redis } from "ioredis";
import { z } from "zod";
import type { BreakerReading, BreakerState, BreakerStore } from "../ports/breaker.ts";
import type { ModelErrorKind } from "../ports/model.ts";
import { redisFailure } from "./redis-errors.ts";

export interface RedisBreakerOptions {
  readonly client: Redis | Cluster;
  readonly keyPrefix: string;
}

// KEYS: breaker → [microseconds, value or false]
const READ = `
local t = redis.call('TIME')
return { t[1] * 1000000 + t[2], redis.call('GET', KEYS[1]) }`;

// KEYS: breaker; ARGV: version read, JSON, ms to keep → 1 written, 0 somebody else was first
const WRITE = `
local value = redis.call('GET', KEYS[1])
local version = value and tonumber(string.match(value, '^%d+')) or 0
if version ~= tonumber(ARGV[1]) then return 0 end
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local mine = string.format('%d', math.max(now, version + 1))
redis.call('SET', KEYS[1], mine .. ' ' .. ARGV[2], 'PX', ARGV[3])
return 1`;

const kind = z.string().transform((value) => value as ModelErrorKind);
const state: z.ZodType<BreakerState> = z.discriminatedUnion("state", [
  z.object({ state: z.literal("closed"), failures: z.array(z.number()) }),
  z.object({ state: z.literal("open"), trips: z.number(), until: z.number(), kind }),
  z.object({ state: z.literal("half-open"), trips: z.number(), since: z.number(), until: z.number(), kind }),
]);

export function createRedisBreakerStore({ client, keyPrefix }: RedisBreakerOptions): BreakerStore {
  async function run(script: string, key: string, ...args: (string | number)[]): Promise<unknown> {
    try {
      return await client.eval(script, 1, `${keyPrefix}breaker:${key}`, ...args);
    } catch (error) {
      throw redisFailure(error);
    }
  }
  return {
    async read(key): Promise<BreakerReading> {
      const [micros, value] = (await run(READ, key)) as [number, string | null];
      const now = micros / 1000;
      if (value === null) return { breaker: undefined, version: 0, now };
      const [version = "0"] = value.split(" ", 1);
      return { breaker: parse(value.slice(version.length + 1)), version: Number(version), now };
    },
    async write(key, version, breaker, keepMs) {
      const keep = Math.max(1, Math.ceil(keepMs));
      return (await run(WRITE, key, version, JSON.stringify(breaker), keep)) === 1;
    },
  };
}

/** What another version wrote and this one can't read counts as closed. */
function parse(json: string): BreakerState | undefined {
  try {
    return state.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}
