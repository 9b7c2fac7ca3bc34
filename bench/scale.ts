/**
 * What a cluster costs as it grows: `node bench/scale.ts [--streams 300] [--seconds 5] [--nodes 1,2,3] [--storm 2000]`, after
 * `npm run build`, with `postgres` and `redis-server` installed. The same load each time, spread over the nodes: streams of 50
 * tokens a second, each read by one client, through the log in Redis. CPU is user + system time of the processes, for a token
 * that was delivered; where the machine has fewer cores than there are processes, times of day say little, and these much.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Redis as Driver } from "ioredis";
import pg from "pg";
import { createClient } from "../src/client/client.ts";
import { gather } from "../test/chaos/storm.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { startRedis } from "../test/support/redis.ts";
import { cpuTime } from "./process-cost.ts";
import { Load, startParley, type Target } from "./servers.ts";

const { values } = parseArgs({
  options: {
    streams: { type: "string", default: "300" },
    seconds: { type: "string", default: "5" },
    nodes: { type: "string", default: "1,2,3" },
    storm: { type: "string", default: "2000" },
  },
});
const STREAMS = Number(values.streams);
const SECONDS = Number(values.seconds);
const STORM = Number(values.storm);

/** That the clients of a storm share. */
const CONVERSATIONS = 100;

const cpuMs = (pid: number): number => {
  const { user, system } = cpuTime(pid);
  return (user + system) / 1000;
};

interface Cluster {
  readonly nodes: readonly Target[];
  /** Milliseconds of CPU so far. */
  cost(): Promise<{ readonly nodes: number; readonly redis: number; readonly postgres: number }>;
  /** Transactions that were committed so far. */
  commits(): Promise<number>;
  stop(): Promise<void>;
}

async function startCluster(count: number): Promise<Cluster> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const env = {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
  };
  const nodes: Target[] = [];
  for (let i = 0; i < count; i++) nodes.push(await startParley({ ...env, PARLEY_NODE_ID: `node-${i}` }));
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
  return {
    nodes,
    cost: async () => {
      const info = await driver.info("cpu");
      const of = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(info)?.[1]) * 1000;
      return {
        nodes: nodes.reduce((sum, { pid }) => sum + cpuMs(pid), 0),
        redis: of("used_cpu_user") + of("used_cpu_sys"),
        postgres: children().reduce((sum, pid) => sum + cpuMs(pid), 0),
      };
    },
    commits: async () => {
      const found = await pool.query<{ n: string }>("select sum(xact_commit) as n from pg_stat_database");
      return Number(found.rows[0]?.n);
    },
    stop: async () => {
      driver.disconnect();
      await pool.end();
      for (const node of nodes) await node.stop();
      await Promise.all([postgres.stop(), redis.stop()]);
    },
  };
}

/** One load process for each node, and its share of the streams. */
async function streams(cluster: Cluster): Promise<string> {
  const loads = cluster.nodes.map((node) => ({ node, load: new Load() }));
  try {
    const share = Math.floor(STREAMS / loads.length);
    for (const { load, node } of loads) {
      await load.order({ op: "connect", port: node.port, count: share, token: node.token ?? "" });
      await load.order({ op: "subscribe" });
    }
    await Promise.all(loads.map(({ load }) => load.order({ op: "chat", text: "count to 1000000" })));
    await sleep(2000);
    const [from, commitsFrom] = [await cluster.cost(), await cluster.commits()];
    const reports = await Promise.all(loads.map(({ load }) => load.order({ op: "count", seconds: SECONDS })));
    const [to, commitsTo] = [await cluster.cost(), await cluster.commits()];
    const tokens = reports.reduce((sum, report) => sum + report.tokens, 0);
    const each = (kind: "nodes" | "redis" | "postgres") => (((to[kind] - from[kind]) * 1000) / tokens).toFixed(1);
    const worst = (kind: "p50" | "p99") => Math.max(...reports.map((report) => report[kind]));
    return [
      cluster.nodes.length,
      Math.round(tokens / SECONDS),
      each("nodes"),
      each("redis"),
      each("postgres"),
      ((commitsTo - commitsFrom) / SECONDS).toFixed(0),
      `${worst("p50")} / ${worst("p99")}`,
    ].join(" | ");
  } finally {
    await Promise.all(loads.map(({ load }) => load.stop()));
  }
}

/** Clients of the SDK in this process, cut and back, each at the next node. */
async function storms(cluster: Cluster): Promise<string> {
  const urls = cluster.nodes.map(({ port }) => `ws://127.0.0.1:${port}/ws`);
  const token = cluster.nodes[0]?.token ?? "";
  const maker = createClient({ url: urls[0] ?? "", auth: { kind: "token", provider: () => token } });
  const make = async () => (await maker.call("conversation.create", {})).conversation.id;
  const conversations = await Promise.all(Array.from({ length: CONVERSATIONS }, make));
  const all = await gather({ urls, conversations, clients: STORM, token });
  maker.close();
  try {
    const from = await cluster.cost();
    const times = await all.break();
    const to = await cluster.cost();
    const each = (kind: "nodes" | "redis" | "postgres") => ((to[kind] - from[kind]) / STORM).toFixed(2);
    const at = (q: number) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * q))] ?? 0);
    return [cluster.nodes.length, at(0.5), at(1), each("nodes"), each("redis"), each("postgres")].join(" | ");
  } finally {
    all.close();
  }
}

const load = () => readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 2).join(" ");
const counts = values.nodes.split(",").map(Number);
const stormRows: string[] = [];
console.log(`${STREAMS} streams of 50 tokens a second; load average ${load()}`);
console.log(
  "| nodes | tokens/s | CPU µs a token, nodes | Redis | PostgreSQL | commits/s | ms p50 / p99 |\n" +
    "|---:|---:|---:|---:|---:|---:|---:|",
);
for (const count of counts) {
  const cluster = await startCluster(count);
  try {
    console.log(`| ${await streams(cluster)} |`);
    if (STORM > 0) stormRows.push(await storms(cluster));
  } finally {
    await cluster.stop();
  }
}
if (stormRows.length > 0) {
  console.log(`\nA storm of ${STORM} reconnects; load average ${load()}`);
  console.log("| nodes | half live again, ms | all | CPU ms a client, nodes | Redis | PostgreSQL |");
  console.log("|---:|---:|---:|---:|---:|---:|");
  for (const row of stormRows) console.log(`| ${row} |`);
}
