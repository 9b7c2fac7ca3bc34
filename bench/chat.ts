/**
 * D: chats through a provider, end to end: 100 tokens, one every 20 ms, OpenAI's wire format over HTTP; 1, 50 and 200
 * people who ask again as soon as they have their answer. Parley stores and can resume what it streams; beside it a bare
 * relay that does neither. The server has core 0; provider, people, PostgreSQL and Redis share core 1.
 *
 * Each server is a new process that is warmed up before it is measured, the relay just as Parley: WARM_UP_PEOPLE chat
 * for WARM_UP_MS, so that no figure holds what the compiler and the first use of a module cost once.
 */
import { type ChildProcess, execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChatOrder, ChatReport } from "./chat-load.ts";
import { startStore } from "./chat-stores.ts";
import { BUDGETS, CHAT_HEAD, chatLine, type ChatSample, type StoreKind } from "./chat-table.ts";
import { TOKEN_MS, TOKENS } from "./chat-tokens.ts";
import { cpuTime, residentKiB } from "./process-cost.ts";
import { ended, here, pinned, startParley, type Target } from "./servers.ts";
import { costPer, median } from "./table.ts";

export interface ChatOptions {
  readonly stores: readonly StoreKind[];
  /** Empty: those that have a budget. */
  readonly people: readonly number[];
  readonly rounds: number;
  /** Each load is measured for so long. */
  readonly seconds: number;
  /** Programs to compare, each as Parley's dist/server/main.js; undefined: that one. */
  readonly servers: readonly (string | undefined)[];
  /** The relay, too? */
  readonly relay: boolean;
  /** Of Node, for Parley: --cpu-prof and the like. */
  readonly nodeArgs: readonly string[];
}

const ANSWER_MS = TOKENS * TOKEN_MS;
const WARM_UP_PEOPLE = 50;
const WARM_UP_MS = 4 * ANSWER_MS;
const IDLE_MS = 4_000;

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

async function startRelay(providerPort: number): Promise<Target> {
  const began = performance.now();
  const { child, port } = await startHelper(0, "chat-relay.ts", String(providerPort));
  return {
    pid: child.pid ?? 0,
    port,
    token: undefined,
    readyMs: performance.now() - began,
    stop: () => ended(child),
  };
}

class People {
  readonly #child = fork(here("chat-load.ts"), { execPath: "taskset", execArgv: pinned(1) });

  /** They chat once this resolves. */
  static async chat({ port, token }: Target, count: number): Promise<People> {
    const people = new People();
    try {
      await people.order({ op: "open", port, count, ...(token !== undefined && { token }) });
      await people.order({ op: "begin", spreadMs: ANSWER_MS });
      return people;
    } catch (error) {
      await people.stop();
      throw error;
    }
  }

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

async function measure(target: Target, count: number, seconds: number): Promise<ChatSample> {
  const people = await People.chat(target, count);
  try {
    await sleep(1.5 * ANSWER_MS);
    await people.order({ op: "report" });
    const before = cpuTime(target.pid);
    const began = performance.now();
    await sleep(seconds * 1000);
    const { tokens, first } = await people.order({ op: "report" });
    const elapsed = (performance.now() - began) / 1000;
    const answers = tokens / TOKENS;
    const cost = costPer(before, cpuTime(target.pid), answers);
    const rssMiB = residentKiB(target.pid) / 1024;
    await people.order({ op: "end" });
    return { cost, perSecond: answers / elapsed, first, rssMiB };
  } finally {
    await people.stop();
  }
}

async function warmUp(target: Target): Promise<void> {
  const people = await People.chat(target, WARM_UP_PEOPLE);
  try {
    await sleep(WARM_UP_MS);
    await people.order({ op: "end" });
  } finally {
    await people.stop();
  }
}

/** What one program did in all rounds. */
interface Figures {
  readonly loads: Map<number, ChatSample[]>;
  readonly readyMs: number[];
  /** CPU in ms of a second in which nobody asks anything. */
  readonly idleMs: number[];
}

/** Ends with the server's. */
async function observe(target: Target, counts: readonly number[], seconds: number, figures: Figures): Promise<void> {
  try {
    figures.readyMs.push(target.readyMs);
    await warmUp(target);
    await sleep(1_000);
    const before = cpuTime(target.pid);
    await sleep(IDLE_MS);
    figures.idleMs.push(costPer(before, cpuTime(target.pid), IDLE_MS).total);
    for (const count of counts) {
      const samples = figures.loads.get(count) ?? [];
      figures.loads.set(count, samples);
      samples.push(await measure(target, count, seconds));
    }
  } finally {
    await target.stop();
  }
}

async function chatsIn(kind: StoreKind, providerPort: number, options: ChatOptions): Promise<void> {
  const { loads, readyMs } = BUDGETS[kind];
  const { people, rounds, seconds, servers, nodeArgs } = options;
  const counts = people.length > 0 ? people : loads.map(({ count }) => count);
  const store = await startStore(kind);
  const model = {
    COMPATIBLE_BASE_URL: `http://127.0.0.1:${providerPort}/v1`,
    PARLEY_DEFAULT_MODEL: "compatible/bench",
    PARLEY_FIND_OLLAMA: "0",
  };
  const starts = new Map<string, () => Promise<Target>>();
  for (const [index, main] of servers.entries()) {
    const name = servers.length > 1 ? `Parley ${index + 1}, ${kind}` : `Parley, ${kind}`;
    const { env, dataDir } = await store.of(index);
    starts.set(name, () => startParley({ ...env, ...model }, { dataDir, main, nodeArgs }));
  }
  if (options.relay) starts.set("relay", () => startRelay(providerPort));
  const all = new Map<string, Figures>();
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [name, start] of starts) {
        const figures = all.get(name) ?? { loads: new Map<number, ChatSample[]>(), readyMs: [], idleMs: [] };
        all.set(name, figures);
        await observe(await start(), counts, seconds, figures);
      }
    }
  } finally {
    await store.stop();
  }
  console.log(CHAT_HEAD);
  for (const count of counts) {
    const budget = loads.find((load) => load.count === count);
    for (const [name, figures] of all) {
      console.log(chatLine(name, count, figures.loads.get(count) ?? [], name === "relay" ? undefined : budget));
    }
  }
  for (const [name, figures] of all) {
    const idle = `idle ${median(figures.idleMs).toFixed(1)} ms CPU a second`;
    const [first = 0, ...later] = figures.readyMs;
    const ready = later.length > 0 ? `, later ${median(later).toFixed(0)}` : "";
    const budget = name === "relay" ? "" : ` (budget ${readyMs})`;
    console.log(`D ${name}: ready in ${first.toFixed(0)} ms${ready}${budget}, ${idle}`);
  }
}

export async function chats(options: ChatOptions): Promise<void> {
  // What this process starts and does not place elsewhere, it starts on core 1.
  execFileSync("taskset", ["-cp", "1", String(process.pid)], { stdio: "ignore" });
  const provider = await startHelper(1, "chat-provider.ts");
  try {
    for (const kind of options.stores) await chatsIn(kind, provider.port, options);
  } finally {
    await ended(provider.child);
  }
}
