/**
 * `npm run bench [-- A B C D] [--rounds N]`: Parley beside bare uWebSockets.js, interleaved, so that both meet the same
 * machine. CPU is the server process's user + system time per unit of work, from /proc; figures are medians of the
 * rounds. Absolute figures drift with the machine: read the ratio.
 *
 * --server FILE  another build's dist/server/main.js, in B and D; several are measured in turns
 * Of D: --store embedded|postgres|cluster, --people 1,50,200, --seconds 10, --no-relay, and --node-args="--cpu-prof"
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { BUDGETS, type StoreKind } from "./chat-table.ts";
import { chats } from "./chat.ts";
import { connect, idleParley } from "./idle.ts";
import { cpuTime, residentKiB } from "./process-cost.ts";
import { Load, startBaseline, startParley, type Target } from "./servers.ts";
import { type Cost, costPer, median, printTable, type Row } from "./table.ts";

const { values: flags, positionals: wanted } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    rounds: { type: "string" },
    server: { type: "string", multiple: true, default: [] },
    store: { type: "string", multiple: true, default: ["embedded"] },
    people: { type: "string", default: "" },
    seconds: { type: "string", default: "10" },
    relay: { type: "boolean", default: true },
    "node-args": { type: "string", default: "" },
  },
});
const rounds = Number(flags.rounds ?? 3);
const servers = flags.server.length > 0 ? flags.server : [undefined];
const SECONDS = 5;

interface Sample extends Cost {
  readonly units: number;
  readonly bytesPerUnit: number;
  readonly p50: number;
  readonly p99: number;
}

/** CPU of a server while the load does something, per unit that came of it. */
async function measure(
  target: Target,
  work: () => Promise<{ units: number; bytes: number; p50: number; p99: number }>,
): Promise<Sample> {
  const before = cpuTime(target.pid);
  const { units, bytes, p50, p99 } = await work();
  return { ...costPer(before, cpuTime(target.pid), units), units, bytesPerUnit: bytes / units, p50, p99 };
}

async function withLoad<T>(target: Target, work: (load: Load) => Promise<T>): Promise<T> {
  const load = new Load();
  try {
    return await work(load);
  } finally {
    await load.stop();
    await target.stop();
  }
}

async function requests(target: Target): Promise<Sample> {
  // About 100 bytes, as the budget says; both servers get the same bytes.
  const frame = JSON.stringify({
    jsonrpc: "2.0",
    id: "0123456789abcdef0123456789abcdef0123456789",
    method: "ping",
    params: {},
  });
  return withLoad(target, async (load) => {
    await connect(load, target, 500);
    await load.order({ op: "requests", seconds: 1, frame });
    return measure(target, async () => {
      const { frames } = await load.order({ op: "requests", seconds: SECONDS, frame });
      return { units: frames, bytes: 0, p50: 0, p99: 0 };
    });
  });
}

async function streams(target: Target): Promise<Sample> {
  return withLoad(target, async (load) => {
    await connect(load, target, 1000);
    if (target.token === undefined) {
      await load.order({ op: "start" });
    } else {
      await load.order({ op: "subscribe" });
      await load.order({ op: "chat", text: "count to 1000000" });
    }
    await sleep(2000);
    return measure(target, async () => {
      const { tokens, bytes, p50, p99 } = await load.order({ op: "count", seconds: SECONDS });
      return { units: tokens, bytes, p50, p99 };
    });
  });
}

/** KiB of resident memory per idle connection that says nothing. */
async function idleBaseline(count: number): Promise<number> {
  const target = await startBaseline("idle", 0);
  return withLoad(target, async (load) => {
    const before = residentKiB(target.pid);
    await connect(load, target, count);
    await sleep(5000);
    return (residentKiB(target.pid) - before) / count;
  });
}

async function interleave(
  parley: () => Promise<Sample>,
  baseline: (like: Sample) => Promise<Sample>,
): Promise<{ parley: Sample[]; baseline: Sample[] }> {
  const samples = { parley: [] as Sample[], baseline: [] as Sample[] };
  for (let round = 0; round < rounds; round++) {
    const mine = await parley();
    samples.parley.push(mine);
    samples.baseline.push(await baseline(mine));
  }
  return samples;
}

const rows: Row[] = [];
const run = async (id: string, work: () => Promise<void>) => {
  if (wanted.length === 0 || wanted.includes(id)) await work();
};

await run("A", async () => {
  const answer = JSON.stringify({
    jsonrpc: "2.0",
    id: "0".repeat(42),
    result: { pong: true, time: new Date().toISOString() },
  });
  const { parley, baseline } = await interleave(
    async () => requests(await startParley()),
    async () => requests(await startBaseline("echo", answer.length)),
  );
  rows.push({ name: "A request: CPU µs", budget: "≤ 1.5 ×", limit: 1.5, parley, baseline });
});

await run("B", async () => {
  const all = servers.map(() => [] as Sample[]);
  const baseline: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    let bytes = 0;
    for (const [index, main] of servers.entries()) {
      const sample = await streams(await startParley({}, { main }));
      bytes = sample.bytesPerUnit;
      all[index]?.push(sample);
    }
    baseline.push(await streams(await startBaseline("stream", Math.round(bytes))));
  }
  for (const [index, parley] of all.entries()) {
    const which = all.length > 1 ? `B ${index + 1}` : "B";
    rows.push({ name: `${which} delivered token: CPU µs`, budget: "≤ 1.3 ×", limit: 1.3, parley, baseline });
    const worst = median(parley.map((sample) => sample.p99));
    console.log(
      `${which} latency, log to client: p50 ${median(parley.map((s) => s.p50))} ms, p99 ${worst} ms (budget 2 ms; time stamps have 1 ms)`,
    );
    console.log(
      `${which} bytes a frame: ${Math.round(median(parley.map((s) => s.bytesPerUnit)))}; tokens a second: ${Math.round(median(parley.map((s) => s.units)) / SECONDS)}`,
    );
  }
});

await run("C", async () => {
  const count = Number(process.env["BENCH_IDLE"] ?? 9000);
  const dataDir = mkdtempSync(join(tmpdir(), "parley-bench-"));
  const parley = await idleParley(() => startParley({}, { dataDir }), count).finally(() =>
    rmSync(dataDir, { recursive: true, force: true }),
  );
  const bare = await idleBaseline(count);
  console.log(
    `C idle, ${count} connections: Parley ${parley.toFixed(2)} KiB each, uWS ${bare.toFixed(2)} (budget 3 KiB)`,
  );
});

const isStore = (name: string): name is StoreKind => name in BUDGETS;
const words = (text: string, separator: string) => text.split(separator).filter((word) => word !== "");

await run("D", () =>
  chats({
    stores: flags.store.filter(isStore),
    people: words(flags.people, ",").map(Number),
    // A round is a minute of each load's own; several only narrow down what is already a mean of many answers.
    rounds: Number(flags.rounds ?? 1),
    seconds: Number(flags.seconds),
    servers,
    relay: flags.relay,
    nodeArgs: words(flags["node-args"], " "),
  }),
);

printTable(rows);
