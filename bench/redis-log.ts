/**
 * What a token costs in the Redis log: CPU of this process and of the server, in µs for an event, at several sizes of
 * a turn's batch. `node bench/redis-log.ts [events]`, with `redis-server` in the path. CPU and not wall time: a busy machine
 * changes it less.
 *
 *   nobody hears       the node appends, and no channel is subscribed
 *   others' topics     it hears what it appends, and passes it over: what another node's streams cost it
 *   own topics         it hears what it appends, and each event reaches a listener
 */
import { createRedisEventLog } from "../src/adapters/event-log.redis.ts";
import { createRedisConnections } from "../src/adapters/redis-connection.ts";
import { type Append, TEXT } from "../src/ports/event-log.ts";
import type { Logger } from "../src/ports/logger.ts";
import { deltaHead, encodeDelta } from "../src/protocol/codec.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import { type Redis, startRedis } from "../test/support/redis.ts";
import { until } from "../test/support/until.ts";

const TOPICS = 1_000;
const BATCHES = [1, 10, 100, 1_000];
const EVENTS = Number(process.argv[2] ?? 100_000);
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

async function measure(redis: Redis, hearing: (typeof HEARING)[number], batch: number, events: number): Promise<Cost> {
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
  await turns(Math.ceil(events / 5));
  const ask = (section: string): Promise<string> => connections.client.info(section);
  const redisBefore = await redisCpu(ask);
  const nodeBefore = process.cpuUsage();
  const before = sent;
  await turns(events);
  if (hearing === "own topics") await until(() => heard === sent, "the last event");
  const { user, system } = process.cpuUsage(nodeBefore);
  const redisAfter = await redisCpu(ask);
  await log.close();
  connections.close();
  const count = sent - before;
  return { node: (user + system) / count, redis: ((redisAfter - redisBefore) * 1e6) / count };
}

const redis = await startRedis();
console.log(`CPU µs an event, node + Redis, ${TOPICS} streams, ${EVENTS} events (a tenth of them one by one)`);
console.log(`${"events a call".padEnd(16)}${HEARING.map((name) => name.padEnd(18)).join("")}`);
for (const batch of BATCHES) {
  const cells: string[] = [];
  for (const hearing of HEARING) {
    const { node, redis: server } = await measure(redis, hearing, batch, batch === 1 ? EVENTS / 10 : EVENTS);
    cells.push(`${node.toFixed(1)} + ${server.toFixed(1)}`.padEnd(18));
  }
  console.log(`${String(batch).padEnd(16)}${cells.join("")}`);
}
await redis.stop();
