/** A victim as its driver sees it: a process that serves, tells what its store holds, and ends. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Audit } from "./audit.ts";
import { type Call, formatPoint, type Point } from "./point.ts";

/** A start costs a third less processor time when the code of PGlite is compiled once and not twice. */
const flags = ["--disable-warning=ExperimentalWarning", "--enable-source-maps", "--liftoff-only"];
/** Until it says that it serves, or answers; it has ended long before, or hangs. */
const ANSWER_MS = 30_000;

export type Ended =
  /** It met its point. */
  | { readonly how: "killed" }
  /** It was asked to. */
  | { readonly how: "stopped" }
  | { readonly how: "broken"; readonly why: string };

export interface VictimOptions {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly point: Point | undefined;
  /** Where it leaves what its driver reads. */
  readonly dir: string;
  /** The file there that it writes its calls to. */
  readonly calls: string;
}

export class Victim {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #calls: string;
  readonly #lines: AsyncIterator<string>;
  /** The newest answer that was asked for: they come one at a time. */
  #last: Promise<unknown>;
  #errors = "";
  #asked = false;
  #killed = false;

  constructor({ program, env, point, dir, calls }: VictimOptions) {
    const at = point === undefined ? [] : ["--at", formatPoint(point)];
    // Dies with this process, whatever happens to it.
    const command = [
      "--pdeathsig=KILL",
      "--",
      process.execPath,
      ...flags,
      program,
      "--dir",
      dir,
      "--calls",
      calls,
      ...at,
    ];
    this.#calls = join(dir, calls);
    writeFileSync(this.#calls, "");
    const child = spawn("setpriv", command, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], ...env },
    });
    this.#child = child;
    child.stderr.on("data", (chunk: Buffer) => (this.#errors = (this.#errors + chunk.toString()).slice(-50_000)));
    // What is asked of a process that dies is not answered.
    child.stdin.on("error", () => {});
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.ended = this.#end(point);
    this.#last = this.#line();
  }

  /** Everything that it logged. */
  get errors(): string {
    return this.#errors;
  }

  /** The calls that it has made so far. */
  get calls(): Call[] {
    const lines = readFileSync(this.#calls, "utf8").split("\n");
    return lines.slice(0, -1).map((line) => line.split(" "));
  }

  /** True when it serves; false when it ended before that. */
  async serves(): Promise<boolean> {
    return (await this.#last) !== undefined;
  }

  /** What its store holds; undefined when it ends instead of answering. */
  audit(): Promise<Audit | undefined> {
    const answer = this.#last.then(async () => {
      this.#child.stdin.write("audit\n");
      const line = await this.#line();
      return line === undefined ? undefined : (JSON.parse(line) as Audit);
    });
    this.#last = answer;
    return answer;
  }

  /** SIGTERM: it stops as an operator asks it to, and may meet its point on the way. */
  terminate(): void {
    this.#asked = true;
    this.#child.kill("SIGTERM");
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#killed = true;
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  async #end(point: Point | undefined): Promise<Ended> {
    const [code, signal] = (await once(this.#child, "close")) as [number | null, NodeJS.Signals | null];
    if (this.#killed || (this.#asked && code === 0)) return { how: "stopped" };
    if (point !== undefined && signal === "SIGKILL") return { how: "killed" };
    return { how: "broken", why: `it ended with ${code ?? signal}: ${this.#errors}` };
  }

  async #line(): Promise<string | undefined> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`no answer in ${ANSWER_MS} ms: ${this.#errors}`)), ANSWER_MS);
    try {
      const { value, done } = await Promise.race([this.#lines.next(), late]);
      return done === true ? undefined : value;
    } finally {
      clearTimeout(timer);
    }
  }
}
