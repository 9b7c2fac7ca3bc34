/**
 * Presence in Redis, in the buckets of the event log: one hash a topic, which expires with its last member, and one
 * channel a bucket, on the connection that the node hears with anyway.
 *
 *   {b0}presence:<topic>  member → "<until, ms of the server's clock> <state> <JSON of the member without its state>"
 *   {b0}presence          "<state> <topic> <JSON>"
 */
import { z } from "zod";
import { MAX_PRESENT, type Presence, PRESENCE_TTL_MS } from "../ports/presence.ts";
import { type PresenceChange, presenceChange, type PresenceMember, presenceMember } from "../protocol/shapes.ts";
import type { RedisConnections } from "./redis-connection.ts";
import { RedisScript } from "./redis-script.ts";
import { bucketOf } from "./redis-slot.ts";

export interface RedisPresenceOptions {
  readonly connections: Pick<RedisConnections, "client" | "run" | "subscriber" | "buckets">;
  readonly keyPrefix: string;
  readonly ttlMs?: number;
}

// KEYS: hash; ARGV: channel, topic, "update" | "remove" | "list", member, and of an update: state, JSON, ttl, most members
// → "<state> <JSON>" of all who are there; nil when there are too many
const SCRIPT = new RedisScript(`
local key, channel, topic, op, member = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function tell(state, who) redis.call('SPUBLISH', channel, state .. ' ' .. topic .. ' ' .. who) end
local rows, present, before = redis.call('HGETALL', key), {}, nil
for i = 1, #rows, 2 do
  local till, state, who = string.match(rows[i + 1], '^(%d+) (%l+) (.*)$')
  if till == nil then redis.call('HDEL', key, rows[i])
  elseif tonumber(till) <= now or (op == 'remove' and rows[i] == member) then
    redis.call('HDEL', key, rows[i])
    tell('gone', who)
  elseif op == 'update' and rows[i] == member then before = state
  else present[#present + 1] = state .. ' ' .. who end
end
if op == 'update' then
  local state, who, ttl = ARGV[5], ARGV[6], tonumber(ARGV[7])
  if before == nil and #present >= tonumber(ARGV[8]) then return false end
  redis.call('HSET', key, member, string.format('%d', now + ttl) .. ' ' .. state .. ' ' .. who)
  redis.call('PEXPIRE', key, ttl)
  if before ~= state then tell(state, who) end
  present[#present + 1] = state .. ' ' .. who
end
return present`);

const answer = z.array(z.string()).nullable();

export function createRedisPresence(options: RedisPresenceOptions): Presence {
  const { connections, keyPrefix, ttlMs = PRESENCE_TTL_MS } = options;
  const listeners = new Set<(topic: string, change: PresenceChange) => void>();
  const prefixOf = (bucket: number) => `${keyPrefix}{b${bucket}}`;

  const stops = Array.from({ length: connections.buckets }, (_, bucket) =>
    connections.subscriber.listen(`${prefixOf(bucket)}presence`, (message) => {
      const [state = "", topic = ""] = message.split(" ", 2);
      const change = presenceChange.safeParse(parse(state, message.slice(state.length + topic.length + 2)));
      if (change.success) for (const listener of listeners) listener(topic, change.data);
    }),
  );

  async function ask(topic: string, ...args: readonly string[]): Promise<readonly PresenceMember[] | null> {
    const prefix = prefixOf(bucketOf(topic, connections.buckets));
    const rows = answer.parse(
      await SCRIPT.run(connections, [`${prefix}presence:${topic}`], [`${prefix}presence`, topic, ...args]),
    );
    if (rows === null) return null;
    // What a newer version says of somebody, and this one does not understand, is left out.
    return rows.flatMap((row) => {
      const space = row.indexOf(" ");
      return presenceMember.safeParse(parse(row.slice(0, space), row.slice(space + 1))).data ?? [];
    });
  }

  return {
    ttlMs,
    update(topic, { state, ...who }) {
      return ask(topic, "update", who.memberId, state, JSON.stringify(who), String(ttlMs), String(MAX_PRESENT));
    },
    async remove(topic, memberId) {
      await ask(topic, "remove", memberId);
    },
    list: async (topic) => (await ask(topic, "list", "")) ?? [],
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      listeners.clear();
      for (const stop of stops) stop();
    },
  };
}

/** A member or a change, if it is one. */
function parse(state: string, json: string): unknown {
  try {
    const who: unknown = JSON.parse(json);
    return typeof who === "object" ? { ...who, state } : undefined;
  } catch {
    return undefined;
  }
}
