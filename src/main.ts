/**
 * The composition root: the only reader of the configuration, and the only file that knows every adapter.
 * Exit codes: 0 stopped as asked, 1 failed, 2 could not start for a reason that its message names.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MemoryBreakerStore } from "./adapters/breaker-store.memory.ts";
import { openDataFolder } from "./adapters/data-folder.ts";
import { databaseUnusable } from "./adapters/database-errors.ts";
import { MemoryEventLog } from "./adapters/event-log.memory.ts";
import { createFolderFileStore } from "./adapters/file-store.folder.ts";
import { createS3FileStore } from "./adapters/file-store.s3.ts";
import { createLogger, type RootLogger } from "./adapters/logger.ts";
import { ServerMetrics } from "./adapters/metrics.ts";
import { MemoryPresence } from "./adapters/presence.memory.ts";
import { takeSingleNodeLock } from "./adapters/single-node-lock.ts";
import { createStore } from "./adapters/store.drizzle.ts";
import { type App, type AppPorts, createApp } from "./app.ts";
import { type Config, type PostgresConfig, readConfig } from "./config.ts";
import { discoverHandlers } from "./gateway/discover.ts";
import { staticRoute } from "./gateway/static.ts";
import { createCost, parsePrices, type PriceTable } from "./models/prices.ts";
import { createProviders } from "./models/providers.ts";
import type { ModelProvider } from "./ports/model.ts";
import type { Peers } from "./ports/peers.ts";
import { StartError } from "./ports/start-error.ts";
import type { Store } from "./ports/store.ts";
import { createBuiltinTools } from "./tools/builtin.ts";
import type { wsTransport } from "./transports/ws.ts";

/** The bundle stands in dist/server with its handlers beside it; the source in src, with them one up. */
const bundled = existsSync(join(import.meta.dirname, "handlers"));
const root = join(import.meta.dirname, bundled ? "../.." : "..");
const migrationsDir = join(root, "migrations");
/** Of the build. */
const emptyDatabase = join(root, "dist/database");
const handlersDir = join(import.meta.dirname, bundled ? "handlers" : "../handlers");

/** A start waits so long for a server to tell its models. */
const LISTED_MS = 300;

/** What a start holds besides the app, to be let go in this order at its end. */
type Release = () => Promise<void> | void;

async function main(): Promise<void> {
  const config = readConfig();
  const logger = createLogger({ level: config.logLevel, secrets: config.secrets });
  for (const warning of config.warnings) logger.warn({}, warning);
  const stop = endOnce(logger, config.drainDelayMs + config.drainMs + CLOSE_MS);

  const models = createProviders(config.providers, { tokensPerSecond: config.demoTokensPerSecond });
  const metrics = new ServerMetrics();
  const opened = await openStores(config, logger, metrics, (error) => {
    logger.error({ err: error }, error.message);
    stop.now(1);
  });
  stop.releases.push(opened.release);

  const app = await compose(config, logger, metrics, opened, models.all);
  stop.app = app;
  // So that the first answer has the default model; one that comes later becomes it then.
  await Promise.race([models.listed, sleep(LISTED_MS)]);
  const port = await app.start();
  // Whoever stopped it ends the process.
  if (port === undefined) return;
  logger.info({ port, mode: config.mode, store: config.store.kind }, "serving");
  await announce(config, app, port, logger);
  await prepareModels(models.all, logger);
}

/** Once it serves: the first question should not wait for a provider's SDK. One that can't be loaded fails there. */
async function prepareModels(providers: readonly ModelProvider[], logger: RootLogger): Promise<void> {
  for (const provider of providers) {
    try {
      await provider.prepare?.();
    } catch (error) {
      logger.warn({ err: error, provider: provider.name }, "a model's SDK could not be loaded");
    }
  }
}

/** Where everything is kept, and what nodes share. */
interface Stores extends Pick<AppPorts, "store" | "answersInOrder" | "log" | "breakers" | "presence" | "cluster"> {
  readonly release: Release;
}

async function openStores(
  config: Config,
  logger: RootLogger,
  metrics: ServerMetrics,
  onLockLost: (error: StartError) => void,
): Promise<Stores> {
  const alone = () => ({
    log: new MemoryEventLog({ logger }),
    breakers: new MemoryBreakerStore(),
    presence: new MemoryPresence(),
  });
  const { store } = config;
  switch (store.kind) {
    case "embedded": {
      const folder = openDataFolder(store.dataDir);
      const { openPglite } = await import("./adapters/database.pglite.ts");
      const database = await openPglite({ dataDir: folder.postgres, migrationsDir, emptyDatabase });
      return { store: createStore(database), answersInOrder: true, ...alone(), release: () => folder.release() };
    }
    case "postgres": {
      const lock = await takeSingleNodeLock(store.url, onLockLost);
      const database = await openServer(store, logger);
      return { store: database.store, answersInOrder: false, ...alone(), release: () => lock.release() };
    }
    case "cluster": {
      const { redisUrl, keyPrefix } = store;
      // Nothing of Redis is loaded by a node that is alone.
      const [{ openShared }, { store: opened, deployment, peers }] = await Promise.all([
        import("./adapters/redis-cluster-ports.ts"),
        openServer(store, logger),
      ]);
      const shared = await openShared({
        redisUrl,
        keyPrefix,
        deployment,
        peers,
        nodeId: config.nodeId,
        logger,
        metrics,
      });
      return { store: opened, answersInOrder: false, ...shared, release: () => shared.cluster.close() };
    }
  }
}

async function openServer(
  { url, replicaUrl, maxConnections }: PostgresConfig,
  logger: RootLogger,
): Promise<{ readonly store: Store; readonly deployment: string; readonly peers: (node: string) => Peers }> {
  const [{ openPostgres }, { createPostgresPeers }] = await Promise.all([
    import("./adapters/database.postgres.ts"),
    import("./adapters/peers.postgres.ts"),
  ]);
  const onIdleError = (err: Error) => logger.warn({ err }, "a connection to the database broke while idle");
  const options = { maxConnections, onIdleError };
  try {
    const primary = await openPostgres({ ...options, url, migrationsDir });
    const { deployment } = primary;
    const peers = (node: string) => createPostgresPeers(primary, node);
    if (replicaUrl === undefined) return { store: createStore(primary), deployment, peers };
    const standby = await openPostgres({ ...options, url: replicaUrl, migrationsDir: undefined });
    const { readingFromStandby } = await import("./adapters/database.standby.ts");
    const store = createStore(primary, readingFromStandby({ standby, primary, logger }));
    const close = async () => {
      await Promise.all([standby.close(), primary.close()]);
    };
    return { store: { ...store, close }, deployment, peers };
  } catch (error) {
    throw databaseUnusable(error);
  }
}

async function compose(
  config: Config,
  logger: RootLogger,
  metrics: ServerMetrics,
  { release: _release, ...stores }: Stores,
  providers: readonly ModelProvider[],
): Promise<App> {
  const [transport, pages, handlers] = await Promise.all([
    loadTransport(logger),
    staticRoute(join(root, "dist/web")),
    discoverHandlers(handlersDir),
  ]);
  // What only main needs, and the app should not hold.
  const { providers: _keys, secrets: _secrets, pricesFile, filesDir, s3, ...options } = config;
  const { host, port, trustProxy } = options;
  return createApp(
    // Run from its source, which is how it is developed, the server checks what it sends.
    { ...options, cost: createCost(readPrices(pricesFile)), checkResults: !bundled },
    {
      ...stores,
      logger,
      metrics,
      exposeMetrics: () => metrics.expose(),
      providers,
      tools: createBuiltinTools(),
      files: s3 === undefined ? createFolderFileStore(filesDir) : createS3FileStore(s3),
      transport: (hooks) => transport({ host, port, trustProxy, log: logger, metrics }, hooks),
      pages,
    },
    handlers,
  );
}

/** µWebSockets is a native module: where its binary does not load, another transport of the same contract serves. */
async function loadTransport(logger: RootLogger): Promise<typeof wsTransport> {
  try {
    return (await import("./transports/uws.ts")).uwsTransport;
  } catch (error) {
    logger.warn({ err: error }, "uWebSockets.js does not load here; ws serves instead, at about twice the cost");
    return (await import("./transports/ws.ts")).wsTransport;
  }
}

function readPrices(file: string | undefined): PriceTable | undefined {
  if (file === undefined) return undefined;
  try {
    return parsePrices(readFileSync(file, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`PARLEY_PRICES: ${file} can't be used: ${reason}`, { cause: error });
  }
}

/** To standard output, the one thing that is not a log: it carries a secret for whoever started the server. */
async function announce(config: Config, app: App, port: number, logger: RootLogger): Promise<void> {
  const host = ["0.0.0.0", "::"].includes(config.host) ? "127.0.0.1" : config.host;
  const address = host.includes(":") ? `[${host}]` : host;
  let code;
  try {
    code = await app.createLoginCode();
  } catch (error) {
    logger.warn({ err: error }, "no login link: where its code is kept can't be reached; a new start prints another");
    return;
  }
  process.stdout.write(
    `\nParley is ready. Open this link; it logs in once, within ten minutes:\n\n` +
      `  http://${address}:${port}/#login=${code}\n\n`,
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
