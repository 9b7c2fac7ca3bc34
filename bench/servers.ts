/** The two sides of every comparison, each a process of its own on core 0; the load runs on core 1. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Order, Report } from "./load.ts";

export const here = (file: string) => new URL(file, import.meta.url).pathname;
const TOKEN = "bench-access-token-bench-access-token";

export interface Target {
  readonly pid: number;
  readonly port: number;
  /** How connections log in; undefined when the server asks for no login. */
  readonly token: string | undefined;
  /** Milliseconds from the start of the process until it served. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

export const pinned = (core: number) => ["-c", String(core), process.execPath];

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  await exit;
  clearTimeout(timer);
}

export interface ParleyOptions {
  /** Kept by `stop`; a new one, removed by it, when absent. */
  readonly dataDir?: string;
  /** The program, where it is another than this checkout's. */
  readonly main?: string | undefined;
  /** Of Node. */
  readonly nodeArgs?: readonly string[];
}

/** The program that `npm start` runs. Build it first. */
export async function startParley(
  env: Record<string, string> = {},
  { dataDir, main = here("../dist/server/main.js"), nodeArgs = [] }: ParleyOptions = {},
): Promise<Target> {
  const own = dataDir === undefined ? mkdtempSync(join(tmpdir(), "parley-bench-")) : undefined;
  const began = performance.now();
  const child = spawn("taskset", [...pinned(0), "--disable-warning=ExperimentalWarning", ...nodeArgs, main], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      PARLEY_WS_PORT: "0",
      PARLEY_DATA_DIR: dataDir ?? own ?? "",
      PARLEY_ACCESS_TOKEN: TOKEN,
      PARLEY_LOG_LEVEL: "warn",
      ...env,
    },
  });
  let output = "";
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Parley did not start: ${output}`)), 60_000);
    child.once("exit", (code) => reject(new Error(`Parley ended with ${code}: ${output}`)));
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const match = /http:\/\/[^:]+:(\d+)\//.exec(output);
      if (match?.[1] === undefined) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    });
  });
  if (child.pid === undefined) throw new Error("no process");
  return {
    pid: child.pid,
    port,
    token: TOKEN,
    readyMs: performance.now() - began,
    stop: async () => {
      await ended(child);
      if (own !== undefined) rmSync(own, { recursive: true, force: true });
    },
  };
}

export async function startBaseline(mode: "echo" | "stream" | "idle", bytes: number, perSecond = 50): Promise<Target> {
  const began = performance.now();
  const child = spawn("taskset", [...pinned(0), here("baseline-server.ts"), mode, String(bytes), String(perSecond)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [message] = (await once(child, "message", { signal: AbortSignal.timeout(30_000) })) as [{ port: number }];
  if (child.pid === undefined) throw new Error("no process");
  return {
    pid: child.pid,
    port: message.port,
    token: undefined,
    readyMs: performance.now() - began,
    stop: () => ended(child),
  };
}

/** The load generator: orders go in, one report comes out for each. */
export class Load {
  readonly #child = fork(here("load.ts"), { execPath: "taskset", execArgv: [...pinned(1)] });

  async order(order: Order, timeoutMs = 600_000): Promise<Required<Omit<Report, "error">>> {
    const answer = once(this.#child, "message", { signal: AbortSignal.timeout(timeoutMs) });
    this.#child.send(order);
    const [report] = (await answer) as [Report];
    if (report.error !== undefined) throw new Error(report.error);
    return { frames: 0, tokens: 0, bytes: 0, p50: 0, p99: 0, ...report };
  }

  stop(): Promise<void> {
    return ended(this.#child);
  }
}
