/** How the nodes are, in Redis: one hash, a field for each node, "<ms of the server's clock> <0 or 1>". */
import { FORGOTTEN_MS, type Peers } from "../ports/peers.ts";
import type { RedisConnections } from "./redis-connection.ts";

export interface RedisPeersOptions {
  readonly connections: Pick<RedisConnections, "client" | "run">;
  readonly keyPrefix: string;
  /** Unique to this start. */
  readonly node: string;
}

// KEYS: hash; ARGV: node, 0 or 1, ms for which others are believed, ms after which they are removed → how many are fit
const TELL = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', now) .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
local rows, fit = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #rows, 2 do
  local at, said = string.match(rows[i + 1], '^(%d+) (%d)$')
  if at == nil or now - tonumber(at) > tonumber(ARGV[4]) then redis.call('HDEL', KEYS[1], rows[i])
  elseif rows[i] ~= ARGV[1] and said == '1' and now - tonumber(at) < tonumber(ARGV[3]) then fit = fit + 1 end
end
return fit`;

export function createRedisPeers({ connections, keyPrefix, node }: RedisPeersOptions): Peers {
  const key = `${keyPrefix}nodes`;
  return {
    async tell(fit, youngerThanMs) {
      const { client } = connections;
      return Number(await connections.run(client.eval(TELL, 1, key, node, fit ? 1 : 0, youngerThanMs, FORGOTTEN_MS)));
    },
  };
}
