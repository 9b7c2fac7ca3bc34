import { freePort } from "./free-port.ts";
import { serverProcess } from "./server-process.ts";
import { tempDir } from "./temp-dir.ts";

/** A Redis of this test's own. It keeps nothing: after `kill` or `restart` it is empty. */
export interface Redis {
  url: string;
  port: number;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
  /** Crashes the server, which stays down until `restart`. */
  kill(): Promise<void>;
  /** Starts the server again on the same port. */
  restart(): Promise<void>;
}

/** `options` are redis.conf's, such as `maxmemory` or `replicaof`. */
export async function startRedis(options: Record<string, string> = {}): Promise<Redis> {
  const dir = tempDir("parley-redis-");
  const port = await freePort();
  const all = { port: String(port), bind: "127.0.0.1", dir: dir.path, save: "", appendonly: "no", ...options };
  const server = serverProcess({
    command: ["redis-server", ...Object.entries(all).flatMap(([key, value]) => [`--${key}`, ...value.split(" ")])],
    ready: /Ready to accept connections/,
    stopSignal: "SIGTERM",
    cwd: dir.path,
  });
  await server.start();

  async function stop(): Promise<void> {
    await server.stop();
    await dir.remove();
  }

  async function restart(): Promise<void> {
    await server.stop();
    await server.start();
  }

  const url = `redis://127.0.0.1:${port}`;
  return { url, port, stop, kill: () => server.kill(), restart };
}
