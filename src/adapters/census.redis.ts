/**
 * The census in Redis: one hash, a field for each node, "<ms of the server's clock> <JSON>". A node tells its own and
 * hears the others' in one script, every few seconds, whatever the number of connections.
 */
import { z } from "zod";
import type { ConnectionCensus, Counted } from "../ports/census.ts";
import type { Logger } from "../ports/logger.ts";
import type { RedisConnections } from "./redis-connection.ts";

export interface RedisCensusOptions {
  readonly connections: Pick<RedisConnections, "client" | "run">;
  readonly keyPrefix: string;
  /** Unique to this start. */
  readonly node: string;
  readonly logger: Logger;
  readonly everyMs?: number;
}

export interface RedisCensus extends ConnectionCensus {
  /** Takes this node out. Never rejects. */
  close(): Promise<void>;
}

/** A node that said nothing for so many exchanges is gone. */
const SILENT = 3;
/**
 * A node names a key from its share of the limit on, over this: what others leave out below it can't make a sum wrong by
 * more than a quarter.
 */
const SHARE = 4;

// KEYS: census; ARGV: node, JSON, ms after which a node is gone → what the others said
const EXCHANGE = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', now) .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local rows, others = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #rows, 2 do
  local at, json = string.match(rows[i + 1], '^(%d+) (.*)$')
  if at == nil or now - tonumber(at) > tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], rows[i])
  elseif rows[i] ~= ARGV[1] then others[#others + 1] = json end
end
return others`;

const counts = z.record(z.string(), z.number().int().nonnegative());

export function createRedisCensus(options: RedisCensusOptions): RedisCensus {
  const { connections, keyPrefix, node, logger, everyMs = 3_000 } = options;
  const key = `${keyPrefix}census`;
  let sums = new Map<string, number>();
  let nodes = 1;
  let heardAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let busy: Promise<void> | undefined;
  let away = false;

  async function exchange(counted: Counted, limit: number): Promise<void> {
    const mine = JSON.stringify(Object.fromEntries(counted.atLeast(Math.ceil(limit / (nodes * SHARE)))));
    try {
      const answer = connections.client.eval(EXCHANGE, 1, key, node, mine, everyMs * SILENT);
      const others = (await connections.run(answer)) as string[];
      sums = sumOf(others);
      nodes = others.length + 1;
      heardAt = performance.now();
      away = false;
    } catch (error) {
      if (!away) logger.warn({ err: error }, "connections are counted by each node alone");
      away = true;
    }
  }

  return {
    start(counted, limit) {
      const once = () => {
        busy ??= exchange(counted, limit).finally(() => (busy = undefined));
      };
      once();
      timer ??= setInterval(once, everyMs).unref();
    },
    // What is too old is no reason to refuse anybody.
    elsewhere: (name) => (performance.now() - heardAt < everyMs * SILENT ? (sums.get(name) ?? 0) : 0),
    async close() {
      clearInterval(timer);
      await busy;
      await connections.run(connections.client.hdel(key, node)).catch(() => undefined);
    },
  };
}

function sumOf(others: readonly string[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const json of others) {
    // Our own script wrote it; another version may have meant something else.
    const parsed = counts.safeParse(JSON.parse(json));
    for (const [name, count] of Object.entries(parsed.data ?? {})) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return sums;
}
