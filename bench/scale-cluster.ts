/** Nodes of the built program with a PostgreSQL and a Redis of their own, and what all of them cost. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis as Driver } from "ioredis";
import pg from "pg";
import { startPostgres } from "../test/support/postgres.ts";
import { startRedis } from "../test/support/redis.ts";
import { cpuTime } from "./process-cost.ts";
import { startParley, type Target } from "./servers.ts";

/** Milliseconds of CPU so far; `clients`: of this process. */
export interface Spent {
  readonly nodes: number;
  readonly redis: number;
  readonly postgres: number;
  readonly clients: number;
}

export interface Cluster {
  readonly nodes: readonly Target[];
  /** Another node, which is not counted among `nodes`; its caller stops it. */
  start(): Promise<Target>;
  spent(): Promise<Spent>;
  /** Transactions that were committed so far. */
  commits(): Promise<number>;
  /** Resolves once all of it hardly does anything; rejects when that takes too long. */
  rest(): Promise<void>;
  stop(): Promise<void>;
}

const REST_LOOK_MS = 1_000;
/** Of CPU in that time: what the repeated jobs of three nodes and the heartbeats of thousands of clients take. */
const REST_CPU_MS = 150;
const REST_WITHIN_MS = 60_000;

const cpuMs = (pid: number): number => {
  const { user, system } = cpuTime(pid);
  return (user + system) / 1000;
};

export async function startCluster(count: number): Promise<Cluster> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  // Answers that never end are cut off by the end of their node, which it would warn of.
  const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, PARLEY_LOG_LEVEL: "error" };
  let started = 0;
  const start = () => startParley({ ...env, PARLEY_NODE_ID: `node-${started++}` });
  const nodes: Target[] = [];
  while (nodes.length < count) nodes.push(await start());
  const pool = new pg.Pool({ connectionString: postgres.url, max: 1 });
  const driver = new Driver(redis.url);
  const { rows } = await pool.query<{ data_directory: string }>("show data_directory");
  const file = join(rows[0]?.data_directory ?? "", "postmaster.pid");
  const postmaster = Number(readFileSync(file, "utf8").split("\n")[0]);
  const children = (): number[] =>
    execFileSync("ps", ["-o", "pid=", "--ppid", String(postmaster)], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map(Number);

  async function spent(): Promise<Spent> {
    const info = await driver.info("cpu");
    const of = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(info)?.[1]) * 1000;
    const own = process.cpuUsage();
    return {
      nodes: nodes.reduce((sum, { pid }) => sum + cpuMs(pid), 0),
      redis: of("used_cpu_user") + of("used_cpu_sys"),
      postgres: children().reduce((sum, pid) => sum + cpuMs(pid), 0),
      clients: (own.user + own.system) / 1000,
    };
  }
  const sumOf = (cost: Spent) => cost.nodes + cost.redis + cost.postgres + cost.clients;

  return {
    nodes,
    start,
    spent,
    commits: async () => {
      const found = await pool.query<{ n: string }>("select sum(xact_commit) as n from pg_stat_database");
      return Number(found.rows[0]?.n);
    },
    rest: async () => {
      const until = performance.now() + REST_WITHIN_MS;
      for (let before = sumOf(await spent()); ;) {
        await sleep(REST_LOOK_MS);
        const now = sumOf(await spent());
        if (now - before < REST_CPU_MS) return;
        if (performance.now() > until) throw new Error(`it does not come to rest: ${Math.round(now - before)} ms CPU`);
        before = now;
      }
    },
    stop: async () => {
      driver.disconnect();
      await pool.end();
      await Promise.all(nodes.map((node) => node.stop()));
      await Promise.all([postgres.stop(), redis.stop()]);
    },
  };
}
