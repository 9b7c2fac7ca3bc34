/**
 * The composition root: the only reader of the configuration, and the only file that knows every adapter.
 * Exit codes: 0 stopped as asked, 1 failed, 2 could not start for a reason that its message names.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openDataFolder } from "./adapters/data-folder.ts";
import type { Database } from "./adapters/database.ts";
import { MemoryEventLog } from "./adapters/event-log.memory.ts";
import { createLogger, type RootLogger } from "./adapters/logger.ts";
import { ServerMetrics } from "./adapters/metrics.ts";
import { takeSingleNodeLock } from "./adapters/single-node-lock.ts";
import { createStore } from "./adapters/store.drizzle.ts";
import { type App, createApp } from "./app.ts";
import { type Config, readConfig } from "./config.ts";
import { discoverHandlers } from "./gateway/discover.ts";
import { staticRoute } from "./gateway/static.ts";
import { createDemoModel } from "./models/demo.ts";
import { StartError } from "./ports/start-error.ts";

/** The bundle stands in dist/server with its handlers beside it; the source in src, with them one up. */
const bundled = existsSync(join(import.meta.dirname, "handlers"));
const root = join(import.meta.dirname, bundled ? "../.." : "..");
const handlersDir = join(import.meta.dirname, bundled ? "handlers" : "../handlers");

/** What a start holds besides the app, to be let go in this order at its end. */
type Release = () => Promise<void> | void;

async function main(): Promise<void> {
  const config = readConfig();
  const logger = createLogger({ level: config.logLevel });
  for (const warning of config.warnings) logger.warn({}, warning);
  const stop = endOnce(logger, config.drainDelayMs + config.drainMs + CLOSE_MS);

  const { database, release } = await openDatabase(config, logger, (error) => {
    logger.error({ err: error }, error.message);
    stop.now(1);
  });
  stop.releases.push(release);

  const app = await compose(config, logger, database);
  stop.app = app;
  const port = await app.start();
  // Whoever stopped it ends the process.
  if (port === undefined) return;
  logger.info({ port, mode: config.mode, store: config.store.kind }, "serving");
  announce(config, app, port);
}

async function openDatabase(
  config: Config,
  logger: RootLogger,
  onLockLost: (error: StartError) => void,
): Promise<{ database: Database; release: Release }> {
  const migrationsDir = join(root, "migrations");
  switch (config.store.kind) {
    case "embedded": {
      const folder = openDataFolder(config.store.dataDir);
      const { openPglite } = await import("./adapters/database.pglite.ts");
      const database = await openPglite({ dataDir: folder.postgres, migrationsDir });
      return { database, release: () => folder.release() };
    }
    case "postgres": {
      const { url } = config.store;
      const lock = await takeSingleNodeLock(url, onLockLost);
      const { openPostgres } = await import("./adapters/database.postgres.ts");
      const onIdleError = (err: Error) => logger.warn({ err }, "a connection to the database broke while idle");
      return { database: await openPostgres({ url, migrationsDir, onIdleError }), release: () => lock.release() };
    }
  }
}

async function compose(config: Config, logger: RootLogger, database: Database): Promise<App> {
  const [{ uwsTransport }, pages, handlers] = await Promise.all([
    import("./transports/uws.ts"),
    staticRoute(join(root, "dist/web")),
    discoverHandlers(handlersDir),
  ]);
  const metrics = new ServerMetrics();
  const { host, port, trustProxy } = config;
  return createApp(
    // Run from its source, which is how it is developed, the server checks what it sends.
    { ...config, checkResults: !bundled },
    {
      store: createStore(database),
      log: new MemoryEventLog({ logger }),
      logger,
      metrics,
      exposeMetrics: () => metrics.expose(),
      providers: [createDemoModel({ tokensPerSecond: config.demoTokensPerSecond })],
      transport: (hooks) => uwsTransport({ host, port, trustProxy, log: logger, metrics }, hooks),
      pages,
    },
    handlers,
  );
}

/** To standard output, the one thing that is not a log: it carries a secret for whoever started the server. */
function announce(config: Config, app: App, port: number): void {
  const host = ["0.0.0.0", "::"].includes(config.host) ? "127.0.0.1" : config.host;
  const address = host.includes(":") ? `[${host}]` : host;
  process.stdout.write(
    `\nParley is ready. Open this link; it logs in once, within ten minutes:\n\n` +
      `  http://${address}:${port}/#login=${app.createLoginCode()}\n\n`,
  );
}

interface Ending {
  app: App | undefined;
  readonly releases: Release[];
  now(code: number): void;
}

/** After the drain, to let go of what a stop holds: a database that is gone without a word would keep it for ever. */
const CLOSE_MS = 3_000;

/** SIGTERM and SIGINT drain; a second one, a bug that nobody caught, or the end of `limitMs`, ends at once. */
function endOnce(logger: RootLogger, limitMs: number): Ending {
  const ending: Ending = {
    app: undefined,
    releases: [],
    now: (code) => {
      logger.flush();
      process.exit(code);
    },
  };
  let asked = false;
  const drain = (signal: string) => {
    if (asked) return ending.now(1);
    asked = true;
    logger.info({ signal }, "stopping");
    setTimeout(() => {
      logger.error({ limitMs }, "the stop took longer than it may; what is left goes on with the next start");
      ending.now(1);
    }, limitMs).unref();
    release().then(
      () => ending.now(0),
      (error: unknown) => {
        logger.error({ err: error }, "the stop failed");
        ending.now(1);
      },
    );
  };
  const release = async () => {
    await ending.app?.stop();
    for (const each of ending.releases) await each();
  };
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => drain(signal));
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (error: unknown) => {
      logger.error({ err: error }, "a bug: this process ends, and what it had accepted goes on with the next start");
      ending.now(1);
    });
  }
  return ending;
}

main().catch((error: unknown) => {
  const known = error instanceof StartError;
  process.stderr.write(
    `${known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(known ? 2 : 1);
});
