/**
 * D: chats through a provider, end to end: 100 tokens, one every 20 ms, OpenAI's wire format over HTTP; 1, 50 and 200
 * people who ask again as soon as they have their answer. Parley stores and can resume what it streams; beside it a bare
 * relay that does neither. Provider and people share core 1, the server has core 0. With DATABASE_URL in the environment
 * Parley stores there, else within itself. BENCH_CHATS=50,200 runs only these.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChatOrder, ChatReport } from "./chat-load.ts";
import { TOKEN_MS, TOKENS } from "./chat-tokens.ts";
import { cpuTime, residentKiB } from "./process-cost.ts";
import { ended, here, pinned, startParley, type Target } from "./servers.ts";
import { type Cost, costPer, median } from "./table.ts";

const ANSWER_MS = TOKENS * TOKEN_MS;
const WARM_UP_MS = 3 * ANSWER_MS;
const SECONDS = 10;

interface Sample {
  /** µs of an answer. */
  readonly cost: Cost;
  readonly perSecond: number;
  readonly first: readonly number[];
  readonly rssMiB: number;
}

/** A server that waits for its port, told over the channel between processes. */
async function startHelper(
  core: number,
  file: string,
  ...args: string[]
): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn("taskset", [...pinned(core), here(file), ...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [message] = (await once(child, "message", { signal: AbortSignal.timeout(30_000) })) as [{ port: number }];
  return { child, port: message.port };
}

class People {
  readonly #child = fork(here("chat-load.ts"), { execPath: "taskset", execArgv: pinned(1) });

  async order(order: ChatOrder): Promise<Required<Omit<ChatReport, "error">>> {
    const answer = once(this.#child, "message", { signal: AbortSignal.timeout(300_000) });
    this.#child.send(order);
    const [report] = (await answer) as [ChatReport];
    if (report.error !== undefined) throw new Error(report.error);
    return { tokens: 0, first: [], ...report };
  }

  stop(): Promise<void> {
    return ended(this.#child);
  }
}

/** Ends with `stop`. */
async function measure(
  { pid, port, token }: Pick<Target, "pid" | "port" | "token">,
  count: number,
  stop: () => Promise<void>,
): Promise<Sample> {
  const people = new People();
  try {
    await people.order({ op: "open", port, count, ...(token !== undefined && { token }) });
    await people.order({ op: "begin", spreadMs: ANSWER_MS });
    await sleep(WARM_UP_MS);
    await people.order({ op: "report" });
    const before = cpuTime(pid);
    const began = performance.now();
    await sleep(SECONDS * 1000);
    const { tokens, first } = await people.order({ op: "report" });
    const seconds = (performance.now() - began) / 1000;
    const answers = tokens / TOKENS;
    const cost = costPer(before, cpuTime(pid), answers);
    return { cost, perSecond: answers / seconds, first, rssMiB: residentKiB(pid) / 1024 };
  } finally {
    await people.stop();
    await stop();
  }
}

interface ChatBudget {
  readonly count: number;
  /** CPU of an answer. None for one person alone: that is mostly a process that waits, and code that is still cold. */
  readonly cpuMs?: number;
  /** What the server adds to the time to the first token. */
  readonly firstMs: number;
  readonly firstP99Ms?: number;
  readonly rssMiB?: number;
}

/** By where Parley stores. */
const BUDGETS: Readonly<Record<"embedded" | "postgres", { loads: readonly ChatBudget[]; readyMs: number }>> = {
  embedded: {
    readyMs: 2000,
    loads: [
      { count: 1, firstMs: 5 },
      { count: 50, cpuMs: 9, firstMs: 5 },
      { count: 200, cpuMs: 7, firstMs: 10, rssMiB: 550 },
    ],
  },
  postgres: {
    readyMs: 700,
    loads: [
      { count: 1, firstMs: 3 },
      { count: 50, cpuMs: 7, firstMs: 3 },
      { count: 200, cpuMs: 5, firstMs: 5, firstP99Ms: 20, rssMiB: 200 },
    ],
  },
};

const quantile = (values: readonly number[], q: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
};

/** Median of the rounds: of a figure of each. */
const of = (samples: readonly Sample[], figure: (sample: Sample) => number): number => median(samples.map(figure));

function line(who: string, count: number, samples: readonly Sample[], budget?: ChatBudget): string {
  const cpuMs = of(samples, ({ cost }) => cost.total / 1000);
  const userMs = of(samples, ({ cost }) => cost.user / 1000);
  const p50 = of(samples, ({ first }) => quantile(first, 0.5));
  const p99 = of(samples, ({ first }) => quantile(first, 0.99));
  const rss = of(samples, ({ rssMiB }) => rssMiB);
  const rate = of(samples, ({ perSecond }) => perSecond);
  const over = [
    budget?.cpuMs !== undefined && cpuMs > budget.cpuMs && "CPU",
    budget && p50 > budget.firstMs && "first token",
    budget?.firstP99Ms !== undefined && p99 > budget.firstP99Ms && "p99",
    budget?.rssMiB !== undefined && rss > budget.rssMiB && "memory",
  ].filter((each) => typeof each === "string");
  const wanted = [
    budget?.cpuMs !== undefined && `${budget.cpuMs} ms CPU`,
    budget && `${budget.firstMs} ms`,
    budget?.firstP99Ms !== undefined && `p99 ${budget.firstP99Ms} ms`,
    budget?.rssMiB !== undefined && `${budget.rssMiB} MiB`,
  ].filter((each) => typeof each === "string");
  const verdict = budget === undefined ? "" : over.length === 0 ? "within" : `over: ${over.join(", ")}`;
  return (
    `| ${who} | ${count} | ${rate.toFixed(1)} | ${cpuMs.toFixed(2)} (${userMs.toFixed(2)} user) | ` +
    `${p50.toFixed(1)} / ${p99.toFixed(1)} | ${rss.toFixed(0)} | ${wanted.join(", ")} | ${verdict} |`
  );
}

export async function chats(rounds: number): Promise<void> {
  const kind = process.env["DATABASE_URL"] === undefined ? "embedded" : "postgres";
  const { loads, readyMs } = BUDGETS[kind];
  const only = (process.env["BENCH_CHATS"] ?? "")
    .split(",")
    .map(Number)
    .filter((count) => count > 0);
  const dataDir = mkdtempSync(join(tmpdir(), "parley-bench-"));
  const provider = await startHelper(1, "chat-provider.ts");
  const env = {
    COMPATIBLE_BASE_URL: `http://127.0.0.1:${provider.port}/v1`,
    PARLEY_DEFAULT_MODEL: "compatible/bench",
    PARLEY_FIND_OLLAMA: "0",
  };
  const rows: string[] = [];
  const ready: number[] = [];
  try {
    for (const budget of loads.filter(({ count }) => only.length === 0 || only.includes(count))) {
      const parley: Sample[] = [];
      const relay: Sample[] = [];
      for (let round = 0; round < rounds; round++) {
        const target = await startParley(env, dataDir);
        ready.push(target.readyMs);
        parley.push(await measure(target, budget.count, () => target.stop()));
        const { child, port } = await startHelper(0, "chat-relay.ts", String(provider.port));
        const floor = { pid: child.pid ?? 0, port, token: undefined };
        relay.push(await measure(floor, budget.count, () => ended(child)));
      }
      rows.push(line(`Parley, ${kind}`, budget.count, parley, budget), line("relay", budget.count, relay));
    }
  } finally {
    await ended(provider.child);
    rmSync(dataDir, { recursive: true, force: true });
  }
  console.log(
    "\nD | people | answers/s | CPU ms of an answer | to the first token, p50 / p99 ms | RSS, MiB | budget | |",
  );
  console.log("|---|---|---|---|---|---|---|---|");
  for (const row of rows) console.log(row);
  const [first = 0, ...later] = ready;
  console.log(
    `D ready: first start ${first.toFixed(0)} ms, later ones ${median(later.length > 0 ? later : [first]).toFixed(0)} ms (budget ${readyMs})`,
  );
}
