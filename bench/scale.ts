/**
 * What a cluster costs as it grows: `node bench/scale.ts [--nodes 1,2,3] [--storm 2000] [--storms 3] [--streams 300]
 * [--seconds 5] [--idle 5000]`, after `npm run build`, with `postgres` and `redis-server` installed; 0 leaves a part out.
 * CPU is user + system time of the processes: where a machine has fewer cores than there are processes, times of day say
 * little, and these much.
 *
 * On each number of nodes, first the storms, once everything is at rest: answers go on when their readers are gone, so that
 * streams would run beside a storm that came after them.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createClient } from "../src/client/client.ts";
import { gather } from "../test/chaos/storm.ts";
import { idleParley } from "./idle.ts";
import { type Cluster, type Spent, startCluster } from "./scale-cluster.ts";
import { Load } from "./servers.ts";
import { percentile } from "./table.ts";

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "1,2,3" },
    storm: { type: "string", default: "2000" },
    storms: { type: "string", default: "3" },
    streams: { type: "string", default: "300" },
    seconds: { type: "string", default: "5" },
    idle: { type: "string", default: "5000" },
  },
});
const STORM = Number(values.storm);
const STORMS = Number(values.storms);
const STREAMS = Number(values.streams);
const SECONDS = Number(values.seconds);
const IDLE = Number(values.idle);

/** That the clients of a storm share. */
const CONVERSATIONS = 100;

const machineLoad = () => readFileSync("/proc/loadavg", "utf8").split(" ", 1)[0];

/** Streams of 50 tokens a second, each with one reader: one load process for each node, and its share of the streams. */
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
    const [from, commitsFrom] = [await cluster.spent(), await cluster.commits()];
    const reports = await Promise.all(loads.map(({ load }) => load.order({ op: "count", seconds: SECONDS })));
    const [to, commitsTo] = [await cluster.spent(), await cluster.commits()];
    const tokens = reports.reduce((sum, report) => sum + report.tokens, 0);
    const each = (kind: keyof Spent) => (((to[kind] - from[kind]) * 1000) / tokens).toFixed(1);
    const worst = (kind: "p50" | "p99") => Math.max(...reports.map((report) => report[kind]));
    return [
      cluster.nodes.length,
      Math.round(tokens / SECONDS),
      each("nodes"),
      each("redis"),
      each("postgres"),
      ((commitsTo - commitsFrom) / SECONDS).toFixed(0),
      `${worst("p50")} / ${worst("p99")}`,
      machineLoad(),
    ].join(" | ");
  } finally {
    await Promise.all(loads.map(({ load }) => load.stop()));
  }
}

/** Clients of the SDK in this process, cut and back, each at the next node; several times the same ones. */
async function storms(cluster: Cluster): Promise<string[]> {
  const urls = cluster.nodes.map(({ port }) => `ws://127.0.0.1:${port}/ws`);
  const token = cluster.nodes[0]?.token ?? "";
  const maker = createClient({ url: urls[0] ?? "", auth: { kind: "token", provider: () => token } });
  const make = async () => (await maker.call("conversation.create", {})).conversation.id;
  const conversations = await Promise.all(Array.from({ length: CONVERSATIONS }, make));
  const all = await gather({ urls, conversations, clients: STORM, token });
  maker.close();
  const rows: string[] = [];
  try {
    while (rows.length < STORMS) {
      await cluster.rest();
      const before = machineLoad();
      const from = await cluster.spent();
      const times = await all.break();
      const to = await cluster.spent();
      const each = (kind: keyof Spent) => ((to[kind] - from[kind]) / STORM).toFixed(2);
      const at = (share: number) => Math.round(percentile(times, share));
      const cost = [each("nodes"), each("redis"), each("postgres"), each("clients")];
      rows.push([cluster.nodes.length, rows.length + 1, at(0.5), at(1), ...cost, before].join(" | "));
    }
    return rows;
  } finally {
    all.close();
  }
}

function printTable(head: readonly string[], rows: readonly string[]): void {
  if (rows.length === 0) return;
  console.log(`\n| ${head.join(" | ")} |\n|${"---:|".repeat(head.length)}`);
  for (const row of rows) console.log(`| ${row} |`);
}

const stormRows: string[] = [];
const streamRows: string[] = [];
for (const count of values.nodes.split(",").map(Number)) {
  const cluster = await startCluster(count);
  try {
    if (STORM > 0) stormRows.push(...(await storms(cluster)));
    if (STREAMS > 0) {
      await cluster.rest();
      streamRows.push(await streams(cluster));
    }
  } finally {
    await cluster.stop();
  }
}
if (STORM > 0) console.log(`Storms of ${STORM} reconnects; CPU in ms a client`);
printTable(["nodes", "storm", "half, ms", "all, ms", "nodes'", "Redis", "PostgreSQL", "clients'", "load"], stormRows);
if (STREAMS > 0) console.log(`\n${STREAMS} streams of 50 tokens a second; CPU in µs a token`);
printTable(["nodes", "tokens/s", "nodes'", "Redis", "PostgreSQL", "commits/s", "ms p50 / p99", "load"], streamRows);
if (IDLE > 0) {
  const cluster = await startCluster(0);
  try {
    const each = await idleParley(() => cluster.start(), IDLE);
    console.log(
      `\n${IDLE} idle connections to one node, in a cluster: ${each.toFixed(2)} KiB each; load ${machineLoad()}`,
    );
  } finally {
    await cluster.stop();
  }
}
