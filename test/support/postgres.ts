import { execFileSync } from "node:child_process";
import { chownSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { freePort } from "./free-port.ts";
import { serverProcess } from "./server-process.ts";
import { tempDir } from "./temp-dir.ts";

/** A PostgreSQL of this test's own: any local user may connect as the superuser `postgres`; nothing is durable. */
export interface Postgres {
  /** The database `postgres`. */
  url: string;
  port: number;
  createDatabase(name: string): Promise<string>;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
  /** Crashes the server, which stays down until `restart`. */
  kill(): Promise<void>;
  /** Starts the server again with the same data and port, after a crash or after a shutdown that it does itself. */
  restart(): Promise<void>;
}

const versions = "/usr/lib/postgresql";

function binaries(): string {
  const newest = readdirSync(versions).toSorted((a, b) => Number(b) - Number(a))[0];
  if (newest === undefined) throw new Error(`no PostgreSQL in ${versions}`);
  return join(versions, newest, "bin");
}

/** `settings` are postgresql.conf's, such as `max_connections`. */
export async function startPostgres(settings: Record<string, string> = {}): Promise<Postgres> {
  const bin = binaries();
  const dir = tempDir("parley-pg-");
  const data = join(dir.path, "data");
  const initdb = [join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"];

  // PostgreSQL refuses to run as root.
  if (process.getuid?.() === 0) {
    const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
    chownSync(dir.path, id("-u"), id("-g"));
    initdb.unshift("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups");
  }
  const [program = "", ...args] = initdb;
  execFileSync(program, args, { cwd: dir.path, stdio: ["ignore", "ignore", "inherit"] });

  const port = await freePort();
  const all = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: dir.path,
    fsync: "off",
    full_page_writes: "off",
    synchronous_commit: "off",
    ...settings,
  };
  const server = serverProcess({
    command: [
      join(bin, "postgres"),
      "-D",
      data,
      ...Object.entries(all).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
    ],
    ready: /database system is ready to accept connections/,
    stopSignal: "SIGINT",
    user: "postgres",
    cwd: dir.path,
  });
  await server.start();

  const address = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`;

  async function createDatabase(name: string): Promise<string> {
    const client = new pg.Client(address("postgres"));
    await client.connect();
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    await client.end();
    return address(name);
  }

  async function stop(): Promise<void> {
    await server.stop();
    await dir.remove();
  }

  async function restart(): Promise<void> {
    await server.stop();
    for (let attempt = 1; ; attempt++) {
      try {
        return await server.start();
      } catch (error) {
        // After a crash, the old server's children hold its shared memory until they notice.
        if (attempt === 50 || !String(error).includes("pre-existing shared memory")) throw error;
        await sleep(100);
      }
    }
  }

  return {
    url: address("postgres"),
    port,
    createDatabase,
    stop,
    kill: () => server.kill(),
    restart,
  };
}
