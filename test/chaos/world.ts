/**
 * What a case acts on: three nodes of the built program behind nginx, on a PostgreSQL and a Redis of their own. Node c
 * comes to Redis, and node b to PostgreSQL, over a network that can be cut; the clients come to nginx over another.
 * Redis is one server, or a Sentinel with its two, or a Cluster of three: those are reached without a detour, as they name
 * their servers themselves.
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
import { startRedisCluster } from "../support/redis-cluster.ts";
import { startRedisSentinel } from "../support/redis-sentinel.ts";
import { type Redis, startRedis } from "../support/redis.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

export const TOPOLOGIES = ["single", "sentinel", "cluster"] as const;
export type Topology = (typeof TOPOLOGIES)[number];

export interface World {
  readonly nodes: readonly Parley[];
  /** [0, 1), the same for the same seed. */
  random(): number;
  /** Rows of a statement, past all faults of the network. Not while PostgreSQL is paused. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** A command to Redis, past all faults of the network. Not while Redis is paused. */
  redis(command: string, ...args: string[]): Promise<unknown>;
  /** Behind a Sentinel, master and replica as they were at first; of a Cluster the masters. */
  readonly redisServers: readonly Redis[];
  /** Behind a Sentinel: the server that is master now. */
  master(): Promise<Redis>;
  /** Kills it with -9 and starts it again on what it had. */
  crashPostgres(): Promise<void>;
  /** SIGSTOP to every process of it; the answer wakes them. */
  pauseRedis(): Promise<() => void>;
  pausePostgres(): Promise<() => void>;
  /** From node c to Redis, from node b to PostgreSQL, from the clients to nginx. */
  readonly network: { readonly redis: TcpProxy; readonly postgres: TcpProxy; readonly clients: TcpProxy };
  /** Through nginx, or to one node. Closed with the world at the latest. */
  connect(to?: Pick<Parley, "url">): Client;
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

/** Fisher and Yates. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(Math.floor(random() * left.length), 1));
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

export async function startWorld(seed: number, topology: Topology = "single"): Promise<World> {
  const closing: (() => unknown)[] = [];
  const remove = async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  };
  try {
    return await start(seed, topology, closing, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

interface Servers {
  readonly url: string;
  readonly servers: readonly Redis[];
  masterPort(): Promise<number>;
  stop(): Promise<void>;
}

async function startServers(topology: Topology): Promise<Servers> {
  switch (topology) {
    case "single": {
      const redis = await startRedis();
      const masterPort = () => Promise.resolve(redis.port);
      return { url: redis.url, servers: [redis], masterPort, stop: () => redis.stop() };
    }
    case "sentinel": {
      const redis = await startRedisSentinel();
      const servers = [redis.one, redis.two];
      return { url: redis.url, servers, masterPort: () => redis.masterPort(), stop: () => redis.stop() };
    }
    case "cluster": {
      const redis = await startRedisCluster();
      const masterPort = () => Promise.reject(new Error("a Cluster has several masters"));
      return { url: redis.url, servers: redis.masters, masterPort, stop: () => redis.stop() };
    }
  }
}

async function start(
  seed: number,
  topology: Topology,
  closing: (() => unknown)[],
  remove: () => Promise<void>,
): Promise<World> {
  // What it answered is in the files of a server that is killed, though no disk was asked to keep it.
  const [postgres, redis] = await Promise.all([startPostgres({ synchronous_commit: "on" }), startServers(topology)]);
  closing.push(
    () => postgres.stop(),
    () => redis.stop(),
  );
  const [first] = redis.servers;
  if (first === undefined) throw new Error("there is no Redis");
  const toRedis = await tcpProxy(first.port);
  const toPostgres = await tcpProxy(postgres.port);
  closing.push(
    () => toRedis.close(),
    () => toPostgres.close(),
  );

  const nodes: Parley[] = [];
  const env = [
    {},
    { DATABASE_URL: postgres.url.replace(String(postgres.port), String(toPostgres.port)) },
    topology === "single" ? { REDIS_URL: redis.url.replace(String(first.port), String(toRedis.port)) } : {},
  ];
  const started = await Promise.allSettled(
    env.map(async (own, i) => {
      const common = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, PARLEY_NODE_ID: "abc".charAt(i) };
      const pace = { PARLEY_DEMO_TOKENS_PER_SECOND: "30", PARLEY_TRUST_PROXY: "1", PARLEY_DRAIN_DELAY_MS: "1500" };
      const limits = { PARLEY_MAX_SUBSCRIPTIONS: "100" };
      const node = await startParley({ ...common, ...pace, ...limits, ...own }, { prepared: false });
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
  const driver = new Driver(first.url);
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
    redisServers: redis.servers,
    master: async () => {
      const port = await redis.masterPort();
      const found = redis.servers.find((server) => server.port === port);
      if (found === undefined) throw new Error(`no server of ours has the port ${port}`);
      return found;
    },
    crashPostgres: async () => {
      await postgres.kill();
      await postgres.restart();
    },
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
