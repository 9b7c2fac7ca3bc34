/** A private nginx with the project's own configuration, before nodes on this machine. */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { tempDir } from "./temp-dir.ts";
import { until } from "./until.ts";

const sources = join(import.meta.dirname, "../../nginx");

export interface Nginx {
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** What `nginx -t` says of the folder's files as they are, but for addresses, names and certificates of this machine. */
export function writeConfig(ports: readonly number[], port: number): { readonly dir: string; readonly file: string } {
  const dir = tempDir("parley-nginx-").path;
  mkdirSync(join(dir, "parley"));
  cpSync(sources, join(dir, "parley"), { recursive: true });
  const servers = ports.map((each) => `server 127.0.0.1:${each} max_fails=2 fail_timeout=1s;`).join("\n  ");
  writeFileSync(
    join(dir, "parley/upstream.conf"),
    `upstream parley {\n  zone parley 128k;\n  ${servers}\n  keepalive 32;\n}\n`,
  );
  writeFileSync(join(dir, "parley/listen.conf"), `listen 127.0.0.1:${port};\n`);
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${join(dir, name)};`)
    .join("\n  ");
  const file = join(dir, "nginx.conf");
  writeFileSync(
    file,
    `daemon off;\nworker_processes 1;\npid ${join(dir, "nginx.pid")};\nerror_log stderr warn;\n` +
      `events { worker_connections 4096; }\nhttp {\n  access_log off;\n  ${temp}\n  include parley/parley.conf;\n  include parley/upstream.conf;\n}\n`,
  );
  return { dir, file };
}

export function checkConfig({ dir, file }: { readonly dir: string; readonly file: string }): string {
  const { status, stderr } = spawnSync("nginx", ["-t", "-p", dir, "-c", file], { encoding: "utf8" });
  return status === 0 ? "" : stderr;
}

export async function startNginx(ports: readonly number[]): Promise<Nginx> {
  const port = await freePort();
  const { dir, file } = writeConfig(ports, port);
  // Dies with this process, whatever happens to it.
  const child = spawn("setpriv", ["--pdeathsig=KILL", "--", "nginx", "-p", dir, "-c", file], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(url).catch(() => undefined)) !== undefined, "nginx to listen", 15_000);
  return {
    port,
    url,
    stop: async () => {
      child.kill("SIGTERM");
      await until(() => child.exitCode !== null || child.signalCode !== null, "nginx to end", 10_000);
    },
  };
}
