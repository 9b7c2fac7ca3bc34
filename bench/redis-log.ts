/**
 * What a token costs in the Redis log: CPU of this process and of the server, in µs for an event, at several sizes of
 * a turn's batch. CPU and not wall time: a busy machine changes it less. `redis-server` has to be in the path.
 *
 *   node bench/redis-log.ts [--events 60000] [--batches 1,10,100,1000] [--rounds 1]
 *   node bench/redis-log.ts --source ../before --source . --rounds 5      # two trees in turns, medians
 *
 * Beside them "bare": a script that only adds to the streams and publishes, the least that a log can do here.
 *
 *   nobody hears       the node appends, and no channel is subscribed
 *   others' topics     it hears what it appends, and passes it over: what another node's streams cost it
 *   own topics         it hears what it appends, and each event reaches a listener
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type * as Logs from "../src/adapters/event-log.redis.ts";
import type * as Connections from "../src/adapters/redis-connection.ts";
import { type Append, TEXT } from "../src/ports/event-log.ts";
import type { Logger } from "../src/ports/logger.ts";
import { deltaHead, encodeDelta } from "../src/protocol/codec.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import { type Redis, startRedis } from "../test/support/redis.ts";
import { until } from "../test/support/until.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "60000" },
    batches: { type: "string", default: "1,10,100,1000" },
    rounds: { type: "string", default: "1" },
    source: { type: "string", multiple: true, default: [join(import.meta.dirname, "..")] },
    hearing: { type: "string", multiple: true },
  },
});
const TOPICS = 1_000;
const EVENTS = Number(values.events);
const HEARING = ["nobody hears", "others' topics", "own topics"] as const;

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

interface Cost {
  readonly node: number;
  readonly redis: number;
}

/** One stream: a writer, a message, a text that grows and begins anew now and then. */
class Stream {
  readonly topic = `conversation:${uuidv7()}`;
  readonly epoch = uuidv7();
  readonly #writer = uuidv7();
  #messageId = uuidv7();
  #head = deltaHead(TEXT, this.#messageId, 0);
  #offset = 0;
  #n = 0;

  next(text: string): Append {
    if (this.#offset > 20_000) {
      this.#messageId = uuidv7();
      this.#head = deltaHead(TEXT, this.#messageId, 0);
      this.#offset = 0;
    }
    const place = { messageId: this.#messageId, partIndex: 0, offset: this.#offset };
    this.#offset += text.length;
    return {
      topic: this.topic,
      epoch: this.epoch,
      identity: { writer: this.#writer, n: ++this.#n, fence: 1 },
      event: encodeDelta(this.#head, place.offset, text),
      delta: { part: "text", ...place, text },
      accumulate: { kind: "extend", ...place, delta: text },
    };
  }
}

/** Seconds of CPU that the server has used. */
async function redisCpu(ask: (section: string) => Promise<string>): Promise<number> {
  const info = await ask("cpu");
  const of = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(info)?.[1]);
  return of("used_cpu_user") + of("used_cpu_sys");
}

interface Build {
  readonly createRedisEventLog: typeof Logs.createRedisEventLog;
  readonly createRedisConnections: typeof Connections.createRedisConnections;
}

async function buildOf(source: string): Promise<Build> {
  const adapters = join(resolve(source), "src/adapters");
  const { createRedisEventLog } = (await import(join(adapters, "event-log.redis.ts"))) as typeof Logs;
  const { createRedisConnections } = (await import(join(adapters, "redis-connection.ts"))) as typeof Connections;
  return { createRedisEventLog, createRedisConnections };
}

const BARE = `
local args = cjson.decode(ARGV[2])
for i = 1, #args, 2 do redis.call('XADD', args[i], '*', 'e', args[i + 1]) end
redis.call('SPUBLISH', ARGV[1], ARGV[2])
`;

async function bare(redis: Redis, build: Build, batch: number, events: number): Promise<Cost> {
  const connections = build.createRedisConnections({ url: redis.url, logger: quiet });
  await connections.start();
  const { client } = connections;
  const keys = Array.from({ length: TOPICS }, () => `${uuidv7()}{b0}conversation:${uuidv7()}`);
  const record = `75:t0,2345,36,${uuidv7()}token and a few more`;
  let sent = 0;
  const turns = async (count: number): Promise<void> => {
    for (const end = sent + count; sent < end;) {
      const args: string[] = [];
      for (let i = 0; i < batch; i++) args.push(keys[sent++ % TOPICS] ?? "", record);
      await client.eval(BARE, 0, "{b0}bare", JSON.stringify(args));
    }
  };
  const cost = await costOf(turns, events, (section) => client.info(section));
  await client.flushall();
  connections.close();
  return cost;
}

/** Of the turns after a fifth as many that warm up. */
async function costOf(
  turns: (count: number) => Promise<void>,
  events: number,
  ask: (section: string) => Promise<string>,
): Promise<Cost> {
  await turns(Math.ceil(events / 5));
  const redisBefore = await redisCpu(ask);
  const nodeBefore = process.cpuUsage();
  await turns(events);
  const { user, system } = process.cpuUsage(nodeBefore);
  const redisAfter = await redisCpu(ask);
  return { node: (user + system) / events, redis: ((redisAfter - redisBefore) * 1e6) / events };
}

async function measure(
  redis: Redis,
  { createRedisConnections, createRedisEventLog }: Build,
  hearing: (typeof HEARING)[number],
  batch: number,
  events: number,
): Promise<Cost> {
  const connections = createRedisConnections({ url: redis.url, logger: quiet });
  await connections.start();
  const log = createRedisEventLog({ connections, keyPrefix: `${uuidv7()}:`, logger: quiet });
  await until(() => connections.subscriber.hearing, "the subscription");
  const streams = Array.from({ length: TOPICS }, () => new Stream());
  let heard = 0;
  for (const { topic, epoch } of streams) {
    await log.open({ topic, epoch, fence: 1, accumulators: [], owner: true });
    if (hearing === "own topics") log.subscribe(topic, ({ entries }) => (heard += entries.length));
  }
  if (hearing === "nobody hears") connections.subscriber.close();
  let sent = 0;
  const turns = async (count: number): Promise<void> => {
    for (const end = sent + count; sent < end;) {
      const appends: Append[] = [];
      for (let i = 0; i < batch; i++) appends.push((streams[sent++ % TOPICS] as Stream).next("token and a few more"));
      const results = await log.append(appends);
      if (!results.every(({ ok }) => ok)) throw new Error("an append was refused");
    }
  };
  const hearAll = async (count: number): Promise<void> => {
    await turns(count);
    if (hearing === "own topics") await until(() => heard === sent, "the last event");
  };
  const cost = await costOf(hearAll, events, (section) => connections.client.info(section));
  await connections.client.flushall();
  await log.close();
  connections.close();
  return cost;
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
const told = (costs: readonly Cost[]): string =>
  `${median(costs.map(({ node }) => node)).toFixed(1)} + ${median(costs.map(({ redis: server }) => server)).toFixed(1)}`;

const redis = await startRedis();
const builds = await Promise.all(values.source.map(buildOf));
const wanted = HEARING.filter((hearing) => values.hearing?.includes(hearing) ?? true);
const rounds = Array.from({ length: Number(values.rounds) });
console.log(`CPU µs an event, node + Redis, ${TOPICS} streams, ${EVENTS} events (a tenth of them one by one)`);
console.log(`${"events a call".padEnd(16)}${["bare", ...wanted].map((name) => name.padEnd(18)).join("")}source`);
for (const batch of values.batches.split(",").map(Number)) {
  const events = batch === 1 ? EVENTS / 10 : EVENTS;
  const least: Cost[] = [];
  const found = builds.map(() => wanted.map((): Cost[] => []));
  for (const _ of rounds) {
    for (const [i, build] of builds.entries()) {
      if (i === 0) least.push(await bare(redis, build, batch, events));
      for (const [k, hearing] of wanted.entries())
        found[i]?.[k]?.push(await measure(redis, build, hearing, batch, events));
    }
  }
  for (const [i, source] of values.source.entries()) {
    const cells = [told(least), ...(found[i] ?? []).map(told)].map((cell) => cell.padEnd(18));
    console.log(`${String(batch).padEnd(16)}${cells.join("")}${source}`);
  }
}
await redis.stop();
