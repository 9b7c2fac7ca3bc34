import { spawn, type ChildProcess } from "node:child_process";

/**
 * One server program that tests start, stop, kill and start again. It never outlives the test process: the
 * kernel kills it when its parent dies, for whatever reason (`setpriv --pdeathsig`).
 */
export interface ServerProcess {
  /** Resolves when the server accepts connections; rejects with its last output when it ends before that. */
  start(): Promise<void>;
  /** Asks it to end, and resolves when it has. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash does. Resolves when the process is gone. */
  kill(): Promise<void>;
}

export interface ServerCommand {
  command: [string, ...string[]];
  /** Printed by the server when it accepts connections. */
  ready: RegExp;
  /** Asks the server to end at once, clients or not. */
  stopSignal: NodeJS.Signals;
  /** The system's user to run as, when this process is root. */
  user?: string;
  /** A folder that this user may enter. */
  cwd: string;
}

export function serverProcess({ command, ready, stopSignal, user, cwd }: ServerCommand): ServerProcess {
  let child: ChildProcess | undefined;

  const as =
    user !== undefined && process.getuid?.() === 0 ? [`--reuid=${user}`, `--regid=${user}`, "--clear-groups"] : [];

  function start(): Promise<void> {
    const started = spawn("setpriv", [...as, "--pdeathsig=KILL", "--", ...command], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    let output = "";
    return new Promise((resolve, reject) => {
      const read = (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-10_000);
        if (ready.test(output)) resolve();
      };
      // Read for as long as it runs: a full pipe would stop it.
      started.stdout.on("data", read);
      started.stderr.on("data", read);
      started.on("error", reject);
      started.on("exit", () => reject(new Error(`${command[0]} ended:\n${output}`)));
    });
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = child;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
    const exit = new Promise((resolve) => ending.once("exit", resolve));
    ending.kill(signal);
    await exit;
  }

  return { start, stop: () => end(stopSignal), kill: () => end("SIGKILL") };
}
