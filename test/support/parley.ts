/** The built program itself, as `npm start` runs it: started, killed with -9 and started again on the same data. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { preparePglite } from "./pglite.ts";
import { tempDir } from "./temp-dir.ts";

const root = join(import.meta.dirname, "../..");
export const ACCESS_TOKEN = "access-token-of-the-tests-0123456789";

export interface Parley {
  readonly port: number;
  readonly url: string;
  readonly dataDir: string;
  /** The login link of the newest start. */
  readonly link: string;
  /** Everything the newest start wrote to stderr. */
  readonly errors: string;
  /** `changed` is added to its environment, this time. */
  start(changed?: Record<string, string>): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  pause(): void;
  resume(): void;
  /** Kills it if it runs, and removes its data. */
  remove(): Promise<void>;
}

/** Runs the program until it ends by itself, for starts that are refused. */
export async function runParley(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const child = launch(env);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { code, output };
}

function launch(env: Record<string, string>): ChildProcess {
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", join(root, "dist/server/main.js")];
  // Dies with this process, whatever happens to it.
  return spawn("setpriv", ["--pdeathsig=KILL", "--", ...node], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], ...env },
  });
}

/** Starts it on a free port and a new data folder, which holds an empty database already unless it is to make one. */
export async function startParley(env: Record<string, string> = {}, { prepared = true } = {}): Promise<Parley> {
  const port = await freePort();
  const data = tempDir("parley-e2e-");
  if (prepared) await preparePglite(join(data.path, "data/postgres"));
  let child: ChildProcess | undefined;
  let link = "";
  let errors = "";

  const ended = async (signal: NodeJS.Signals): Promise<number | null> => {
    const running = child;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return null;
    const exit = once(running, "exit");
    running.kill(signal);
    const [code] = (await exit) as [number | null];
    return code;
  };

  const parley: Parley = {
    port,
    url: `http://127.0.0.1:${port}`,
    dataDir: data.path,
    get link() {
      return link;
    },
    get errors() {
      return errors;
    },
    start: async (changed = {}) => {
      errors = "";
      let output = "";
      const started = launch({
        PARLEY_WS_PORT: String(port),
        PARLEY_DATA_DIR: join(data.path, "data"),
        PARLEY_ACCESS_TOKEN: ACCESS_TOKEN,
        ...env,
        ...changed,
      });
      child = started;
      started.stderr?.on("data", (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-200_000)));
      link = await new Promise<string>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`it did not start in time: ${errors}`)), 60_000);
        started.once("exit", (code) => reject(new Error(`it ended with ${code}: ${output}${errors}`)));
        started.stdout?.on("data", (chunk: Buffer) => {
          output += chunk.toString();
          const found = /http:\/\/\S+#login=\S+/.exec(output);
          if (found === null) return;
          clearTimeout(timer);
          resolve(found[0]);
        });
      });
    },
    kill: async () => {
      await ended("SIGKILL");
    },
    stop: () => ended("SIGTERM"),
    pause: () => child?.kill("SIGSTOP"),
    resume: () => child?.kill("SIGCONT"),
    remove: async () => {
      await ended("SIGKILL");
      await data.remove();
    },
  };
  try {
    await parley.start();
  } catch (error) {
    await parley.remove();
    throw error;
  }
  return parley;
}
