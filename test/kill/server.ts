/**
 * A server that is started again whenever it ends, on the same folder and the same port, as by whoever supervises it.
 * Its first process dies at the first point, its second at the second …; further ones have no point.
 */
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ACCESS_TOKEN } from "../support/parley.ts";
import type { Audit } from "./audit.ts";
import type { Call, Point } from "./point.ts";
import { Victim } from "./victim-process.ts";

export interface ServerOptions {
  /** A folder of its own, empty but for what the scenario keeps there. */
  readonly dir: string;
  /** The victim. */
  readonly program: string;
  /** A folder with an empty database, to be copied. */
  readonly template: string;
  readonly port: number;
  readonly points: readonly Point[];
  readonly env: Readonly<Record<string, string>>;
  /** Called each time that it serves. */
  readonly serving: () => void;
}

export class Server {
  /** Rejects when a process ends as none should, or does not start in time. */
  readonly broken: Promise<never>;
  /** Processes that met their point. */
  deaths = 0;
  readonly #options: ServerOptions;
  readonly #victims: Victim[] = [];
  #closed = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    const { promise, reject } = Promise.withResolvers<never>();
    this.broken = promise;
    // Whoever waits for something hears of it.
    promise.catch(() => {});
    this.#run().catch(reject);
  }

  /** Has every process died that was to? */
  get spent(): boolean {
    return this.deaths === this.#options.points.length;
  }

  /** Calls of each process. */
  get calls(): readonly (readonly Call[])[] {
    return this.#victims.map((victim) => victim.calls);
  }

  /** What all processes logged. */
  get errors(): string {
    return this.#victims.map((victim) => victim.errors).join("");
  }

  /** undefined when it is between two processes. */
  async audit(): Promise<Audit | undefined> {
    return this.#victims.at(-1)?.audit();
  }

  /** Asks the process to stop; the next one follows. */
  terminate(): void {
    this.#victims.at(-1)?.terminate();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#victims.at(-1)?.kill();
  }

  async #run(): Promise<void> {
    const { dir, template } = this.#options;
    await mkdir(join(dir, "data"));
    // A tenth of what Node's own copy takes.
    await promisify(execFile)("cp", ["-r", template, join(dir, "data/postgres")]);
    while (!this.#closed) {
      const victim = this.#start();
      if (await victim.serves()) this.#options.serving();
      const ended = await victim.ended;
      if (ended.how === "broken") throw new Error(ended.why);
      if (ended.how === "killed") this.deaths++;
    }
  }

  #start(): Victim {
    const { program, dir, port, points, env } = this.#options;
    const started = this.#victims.length;
    const victim = new Victim({
      program,
      env: {
        PARLEY_LOG_LEVEL: "warn",
        PARLEY_WS_PORT: String(port),
        PARLEY_DATA_DIR: join(dir, "data"),
        PARLEY_ACCESS_TOKEN: ACCESS_TOKEN,
        ...env,
      },
      point: points[started],
      dir,
      calls: `calls-${started + 1}`,
    });
    this.#victims.push(victim);
    return victim;
  }
}
