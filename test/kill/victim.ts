/**
 * A whole server in a process of its own, put together as src/main.ts does, that kills itself with -9 at one call of a
 * port. The environment is main's. It prints its login link when it serves, and to each line `audit` on its standard
 * input what its store holds.
 *
 *   victim.ts --dir <folder> --calls <name> [--at <call>:<nth>:before|after]
 *
 * The folder is outside of its data. Each call is a line of that file there, its names separated by blanks; and what its
 * tools did is in the file `effects`.
 */
import { existsSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { MemoryBreakerStore } from "../../src/adapters/breaker-store.memory.ts";
import { openDataFolder } from "../../src/adapters/data-folder.ts";
import { openPglite } from "../../src/adapters/database.pglite.ts";
import type { Database } from "../../src/adapters/database.ts";
import { MemoryEventLog } from "../../src/adapters/event-log.memory.ts";
import { createFolderFileStore } from "../../src/adapters/file-store.folder.ts";
import { createLogger } from "../../src/adapters/logger.ts";
import { ServerMetrics } from "../../src/adapters/metrics.ts";
import { MemoryPresence } from "../../src/adapters/presence.memory.ts";
import { createStore } from "../../src/adapters/store.drizzle.ts";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { discoverHandlers } from "../../src/gateway/discover.ts";
import { createDemoModel } from "../../src/models/demo.ts";
import { uwsTransport } from "../../src/transports/uws.ts";
import { auditOf } from "./audit.ts";
import { callerModel } from "./caller-model.ts";
import { effectTools } from "./effects.ts";
import { MortalPorts } from "./mortal-ports.ts";
import { parsePoint } from "./point.ts";

/** Bundled or not, it stands two folders below the migrations; a bundle has its handlers beside it. */
const root = join(import.meta.dirname, "../..");
const bundled = existsSync(join(import.meta.dirname, "handlers"));

const text = { type: "string" } as const;
const { dir, calls: name, at } = parseArgs({ options: { dir: text, calls: text, at: text } }).values;
if (dir === undefined || name === undefined) throw new Error("--dir and --calls are needed");
const calls = openSync(join(dir, name), "a");
const ports = new MortalPorts({
  point: at === undefined ? undefined : parsePoint(at),
  record: (call) => writeSync(calls, `${call.join(" ")}\n`),
  die: () => {
    process.kill(process.pid, "SIGKILL");
    throw new Error("a process lived on after SIGKILL");
  },
});

const config = readConfig();
if (config.store.kind !== "embedded") throw new Error("A victim has a folder of its own.");
const logger = createLogger({ level: config.logLevel });
const folder = openDataFolder(config.store.dataDir);
const database: Database = await openPglite({
  dataDir: folder.postgres,
  migrationsDir: join(root, "migrations"),
});
const metrics = new ServerMetrics();
const { host, port, trustProxy } = config;
const app = createApp(
  { ...config, cost: () => undefined, checkResults: true },
  {
    store: ports.wrap(createStore(database)),
    answersInOrder: true,
    log: ports.wrap(new MemoryEventLog({ logger }), "log"),
    logger,
    metrics,
    exposeMetrics: () => metrics.expose(),
    providers: [createDemoModel({ tokensPerSecond: config.demoTokensPerSecond }), callerModel],
    tools: ports.wrapTools(effectTools(dir)),
    files: createFolderFileStore(join(dir, "files")),
    breakers: new MemoryBreakerStore(),
    presence: new MemoryPresence(),
    transport: (hooks) => uwsTransport({ host, port, trustProxy, log: logger, metrics }, hooks),
    pages: { method: "GET", path: "*", maxBody: 0, handle: () => ({ status: 404, headers: {}, body: "" }) },
  },
  await discoverHandlers(join(bundled ? import.meta.dirname : root, "handlers")),
);

const end = (code: number): never => {
  logger.flush();
  process.exit(code);
};
process.once("SIGTERM", () => {
  app.stop().then(
    () => {
      folder.release();
      end(0);
    },
    (error: unknown) => {
      logger.error({ err: error }, "the stop failed");
      end(1);
    },
  );
});
createInterface({ input: process.stdin }).on("line", () => {
  auditOf(database, metrics.bugs).then(
    (audit) => process.stdout.write(`${JSON.stringify(audit)}\n`),
    (error: unknown) => {
      logger.error({ err: error }, "the audit failed");
      end(1);
    },
  );
});

const bound = await app.start();
if (bound !== undefined) process.stdout.write(`http://${host}:${bound}/#login=${await app.createLoginCode()}\n`);
