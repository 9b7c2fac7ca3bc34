/**
 * What a case acts on: three nodes of the built program behind nginx, on a PostgreSQL and a Redis of their own. Node c
 * comes to Redis, and node b to PostgreSQL, over a network that can be cut; the clients come to nginx over another.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Redis as Driver } from "ioredis";
import pg from "pg";
import { type Client, createClient } from "../../src/client/client.ts";
import { startNginx } from "../support/nginx.ts";
import { ACCESS_TOKEN, type Parley, startParley } from "../support/parley.ts";
import { startPostgres } from "../support/postgres.ts";
import { startRedis } from "../support/redis.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

export interface World {
  readonly nodes: readonly Parley[];
  /** [0, 1), the same for the same seed. */
  random(): number;
  /** Rows of a statement, past all faults of the network. Not while PostgreSQL is paused. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** A command to Redis, past all faults of the network. Not while Redis is paused. */
  redis(command: string, ...args: string[]): Promise<unknown>;
  /** SIGSTOP to every process of it; the answer wakes them. */
  pauseRedis(): Promise<() => void>;
  pausePostgres(): Promise<() => void>;
  /** From node c to Redis, from node b to PostgreSQL, from the clients to nginx. */
  readonly network: { readonly redis: TcpProxy; readonly postgres: TcpProxy; readonly clients: TcpProxy };
  /** Through nginx, or to one node. Closed with the world at the latest. */
  connect(to?: Parley): Client;
  /** How long the fault itself lasts: what a case does between its beginning and its end. Milliseconds. */
  lasts(ms: number): Promise<void>;
  /** All nodes are ready. Rejects after a minute. */
  ready(): Promise<void>;
  remove(): Promise<void>;
}

/** The generator of Park and Miller, "Random number generators: good ones are hard to find" (1988). */
export function seeded(seed: number): () => number {
  let state = (Math.abs(Math.trunc(seed)) % 2_147_483_646) + 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** Stops processes; the answer wakes them, once. */
function stopped(pids: readonly number[]): () => void {
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  return () => {
    for (const pid of pids.toReversed()) process.kill(pid, "SIGCONT");
  };
}

const childrenOf = (pid: number): number[] =>
  execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(Number);

export async function startWorld(seed: number): Promise<World> {
  const closing: (() => unknown)[] = [];
  const remove = async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  };
  try {
    return await start(seed, closing, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

async function start(seed: number, closing: (() => unknown)[], remove: () => Promise<void>): Promise<World> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  closing.push(
    () => postgres.stop(),
    () => redis.stop(),
  );
  const toRedis = await tcpProxy(redis.port);
  const toPostgres = await tcpProxy(postgres.port);
  closing.push(
    () => toRedis.close(),
    () => toPostgres.close(),
  );

  const nodes: Parley[] = [];
  const env = [
    {},
    { DATABASE_URL: postgres.url.replace(String(postgres.port), String(toPostgres.port)) },
    { REDIS_URL: redis.url.replace(String(redis.port), String(toRedis.port)) },
  ];
  const started = await Promise.allSettled(
    env.map(async (own, i) => {
      const common = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, PARLEY_NODE_ID: "abc".charAt(i) };
      const pace = { PARLEY_DEMO_TOKENS_PER_SECOND: "30", PARLEY_TRUST_PROXY: "1", PARLEY_DRAIN_DELAY_MS: "1500" };
      const node = await startParley({ ...common, ...pace, ...own }, { prepared: false });
      closing.push(() => node.remove());
      nodes[i] = node;
    }),
  );
  for (const result of started) if (result.status === "rejected") throw result.reason;

  const nginx = await startNginx(nodes.map(({ port }) => port));
  closing.push(() => nginx.stop());
  const toNginx = await tcpProxy(nginx.port);
  closing.push(() => toNginx.close());

  const pool = new pg.Pool({ connectionString: postgres.url, max: 2, application_name: "chaos" });
  pool.on("error", () => {});
  closing.push(() => pool.end());
  const driver = new Driver(redis.url);
  driver.on("error", () => {});
  closing.push(() => driver.disconnect());
  const clients: Client[] = [];
  closing.push(() => clients.forEach((client) => client.close()));

  const sql = async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
    (await pool.query<Row>(text, [...values])).rows;

  return {
    nodes,
    random: seeded(seed),
    sql,
    redis: (command, ...args) => driver.call(command, ...args),
    pauseRedis: async () => {
      const pid = /process_id:(\d+)/.exec(await driver.info("server"))?.[1];
      if (pid === undefined) throw new Error("Redis does not say its process");
      return stopped([Number(pid)]);
    },
    pausePostgres: async () => {
      const [row] = await sql<{ data_directory: string }>("show data_directory");
      const file = readFileSync(join(row?.data_directory ?? "", "postmaster.pid"), "utf8");
      const main = Number(file.split("\n")[0]);
      // The main process first: it makes no others from then on.
      const wakeMain = stopped([main]);
      const wakeOthers = stopped(childrenOf(main));
      return () => {
        wakeOthers();
        wakeMain();
      };
    },
    network: { redis: toRedis, postgres: toPostgres, clients: toNginx },
    connect: (to) => {
      const url = to === undefined ? `http://127.0.0.1:${toNginx.port}/ws` : `${to.url}/ws`;
      const client = createClient({ url, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
      clients.push(client);
      return client;
    },
    lasts: (ms) => wait(ms),
    ready: () =>
      until(
        async () => {
          const answers = nodes.map(({ url }) => fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) }));
          return (await Promise.allSettled(answers)).every((one) => one.status === "fulfilled" && one.value.ok);
        },
        "every node to be ready",
        60_000,
      ),
    remove,
  };
}
