/**
 * The server, put together from ports: everything but the choice of adapters, which is main's.
 *
 *   start   engine (takes over orphaned runs) → listener
 *   stop    readiness fails → delay → listener closed ─┬→ runs handed over → clients sent away ─┬→ rest closed
 *                                   in a cluster both at once: there is somewhere else to go ┘
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createModelCatalog } from "./agent/catalog.ts";
import { createTimers } from "./agent/engine-timers.ts";
import { createEngine } from "./agent/engine.ts";
import { createModelCallContext } from "./agent/model-call.ts";
import type { RunBounds } from "./agent/run-task.ts";
import type { StallLimits } from "./agent/stall-watch.ts";
import { joinCluster } from "./cluster-node.ts";
import { systemClock } from "./gateway/clock.ts";
import { DeliveryHub } from "./gateway/delivery-hub.ts";
import { newDeliveryCounters } from "./gateway/delivery-types.ts";
import { embedRoute } from "./gateway/embed.ts";
import { fileRoutes } from "./gateway/file-routes.ts";
import { createFileSweeper } from "./gateway/file-sweeper.ts";
import { createGateway } from "./gateway/gateway.ts";
import { statusRoutes } from "./gateway/http-routes.ts";
import type { GatewayLimits } from "./gateway/limits.ts";
import { createNodeHealth } from "./gateway/node-health.ts";
import { originPolicy, upgradeGuard } from "./gateway/origin.ts";
import { Reads } from "./gateway/reads.ts";
import type { Entry } from "./gateway/registry.ts";
import { createStrandWatch } from "./gateway/stranded.ts";
import type { BreakerStore } from "./ports/breaker.ts";
import type { ClusterPorts } from "./ports/cluster.ts";
import type { EventLog } from "./ports/event-log.ts";
import type { FileStore } from "./ports/files.ts";
import type { HttpRoute, Transport, TransportHooks } from "./ports/http.ts";
import type { Logger } from "./ports/logger.ts";
import type { Metrics } from "./ports/metrics.ts";
import type { ModelProvider } from "./ports/model.ts";
import type { Presence } from "./ports/presence.ts";
import type { Services } from "./ports/services.ts";
import type { Store } from "./ports/store.ts";
import type { Tool } from "./ports/tool.ts";
import type { Usage } from "./protocol/shapes.ts";
import { cachedSessionStore } from "./sessions/cached-session-store.ts";
import { ConnectionCounts, type ConnectionQuotas } from "./sessions/connection-counts.ts";
import { SessionManager } from "./sessions/session-manager.ts";
import { createShareService } from "./sessions/share-service.ts";
import { createToolExecutor } from "./tools/execute.ts";
import { createToolCatalog } from "./tools/registry.ts";

export interface AppPorts {
  readonly store: Store;
  /** Its commits are answered in their order: it has one connection. */
  readonly answersInOrder: boolean;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What `/metrics` answers. */
  exposeMetrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  readonly providers: readonly ModelProvider[];
  readonly tools: readonly Tool[];
  readonly files: FileStore;
  readonly breakers: BreakerStore;
  readonly presence: Presence;
  /** What it shares with other nodes; undefined for a node that has store and log to itself. */
  readonly cluster?: ClusterPorts | undefined;
  transport(hooks: TransportHooks): Transport;
  /** Everything that no other route takes: the web app. */
  readonly pages: HttpRoute;
}

/** What `Config` and main have for it, or a test. */
export interface AppOptions {
  readonly mode: string;
  readonly host: string;
  readonly nodeId: string;
  readonly accessToken: string | undefined;
  readonly allowedOrigins: readonly string[];
  readonly trustProxy: boolean;
  readonly sessionLifetimeMs: number;
  readonly drainMs: number;
  readonly drainDelayMs: number;
  readonly defaultModel: string | undefined;
  readonly fallbackModels: readonly string[];
  readonly runDeadlineMs: number;
  readonly bounds: RunBounds;
  /** Uploads that no message used for so long are removed; undefined: never. */
  readonly unusedFileMs?: number | undefined;
  readonly stall: StallLimits;
  /** What a call cost, in millionths of a US dollar; undefined where the price is not known. */
  readonly cost: (model: string, usage: Usage) => number | undefined;
  readonly maxActiveRuns: number;
  readonly maxQueuedRuns: number;
  readonly limits: GatewayLimits;
  /** Connections of one person, and of one address, over all nodes. */
  readonly quotas?: ConnectionQuotas;
  /** Checks each result against its schema before it is sent: for development. */
  readonly checkResults: boolean;
}

export interface App {
  /** Serves when it resolves, with the port that was bound; undefined when it was stopped before that. */
  start(): Promise<number | undefined>;
  /** A code for one login, to be shown to whoever started the server. */
  createLoginCode(): Promise<string>;
  /** Hands over and ends within drainDelayMs + drainMs. Idempotent. */
  stop(): Promise<void>;
}

/** What is left of the drain for closing what runs in this process. */
const CLOSE_MS = 1_000;
const NO_QUOTAS: ConnectionQuotas = { perUser: undefined, perAddress: undefined };

export function createApp(options: AppOptions, ports: AppPorts, handlers: ReadonlyMap<string, Entry>): App {
  const { store, log, logger, metrics, files, cluster } = ports;
  const tools = createToolCatalog(ports.tools);
  const models = createModelCatalog(ports.providers, options);
  const counts = new ConnectionCounts(options.quotas ?? NO_QUOTAS, cluster?.census);
  const sessions = new SessionManager({
    store:
      cluster === undefined
        ? store.sessions
        : cachedSessionStore({ store: store.sessions, cache: cluster.sessions, log: logger }),
    log: logger,
    lifetimeMs: options.sessionLifetimeMs,
    accessToken: options.accessToken,
    requestRate: { perSecond: options.limits.requestsPerSecond, burst: options.limits.requestBurst },
    counts,
    codes: cluster?.loginCodes,
    sharedAttempts: cluster?.loginLimiter,
    onRevoked: (sessionId) => cluster?.commands.publish({ kind: "session.revoked", sessionId }),
  });
  const engine = createEngine({
    store,
    log,
    models,
    modelCalls: createModelCallContext({
      breakerStore: ports.breakers,
      stall: options.stall,
      cost: options.cost,
      metrics,
      logger,
    }),
    bounds: options.bounds,
    tools,
    executor: createToolExecutor(),
    files,
    metrics,
    logger,
    // Without Redis there is one node on a store: main holds the lock of the folder or of the database.
    exclusive: cluster === undefined,
    answersInOrder: ports.answersInOrder,
    maxRuns: options.maxActiveRuns,
  });
  const counters = newDeliveryCounters();
  metrics.delivery(counters);
  const hub = new DeliveryHub({
    log,
    store,
    presence: ports.presence,
    clock: systemClock,
    logger,
    counters,
    maxSubscriptions: options.limits.subscriptions,
  });
  const shares = {
    revoked: (shareId: string) => hub.shareReaders.revoked(shareId),
    confirm: () => hub.shareReaders.confirm((ids) => store.shares.living(ids)),
  };
  const node =
    cluster === undefined ? undefined : joinCluster({ engine, sessions, shares, commands: cluster.commands, logger });
  const services: Services = {
    store,
    sessions,
    reads: new Reads({ log, store, clock: systemClock }),
    agent: node?.agent ?? engine,
    shares: createShareService(store.shares, (shareId) => {
      shares.revoked(shareId);
      cluster?.commands.publish({ kind: "share.revoked", shareId });
    }),
    models,
    tools,
    files,
    runLimits: { maxQueued: options.maxQueuedRuns, deadlineMs: options.runDeadlineMs },
  };
  const origins = originPolicy({ allowedOrigins: options.allowedOrigins, boundTo: options.host });
  const gateway = createGateway({
    services,
    sessions,
    hub,
    handlers,
    origins,
    metrics,
    log: logger,
    nodeId: options.nodeId,
    limits: options.limits,
    counts,
    trustProxy: options.trustProxy,
    checkResults: options.checkResults,
  });
  ports.presence.listen((_topic, { state }) => metrics.presenceChanged(state));
  metrics.gauge("topics", () => hub.topics);
  metrics.gauge("subscriptions", () => hub.subscriptions);
  metrics.gauge("runs", () => engine.held);
  metrics.runCounts(() => store.runs.countByStatus());

  const timers = createTimers((err) => logger.warn({ err }, "files without a row could not be looked for"));
  const confirming = createTimers((err) => logger.warn({ err }, "the store could not be asked which sessions live on"));
  const sweeper = createFileSweeper({ files, rows: store.files, unusedMs: options.unusedFileMs, logger });

  let draining = false;
  const health = createNodeHealth({
    probe: (timeoutMs) => store.probe(timeoutMs),
    dependencies: cluster === undefined ? [] : [cluster.dependency],
    log: logger,
  });
  const stranded = createStrandWatch({
    health,
    peers: cluster?.peers ?? [],
    draining: () => draining,
    sendAway: (away) => gateway.sendElsewhere(away),
    logger,
    clock: systemClock,
  });
  const watching = createTimers((err) => logger.error({ err }, "the watch over this node failed"));
  const routes = [
    ...gateway.routes,
    ...statusRoutes({
      mode: options.mode,
      sessions: () => sessions.sessionCount,
      draining: () => draining,
      health,
      metrics: () => ports.exposeMetrics(),
    }),
    ...fileRoutes({ sessions, rows: store.files, files, origins, metrics, log: logger }),
    embedRoute(origins),
    ports.pages,
  ];
  const transport = ports.transport({
    routes,
    connections: gateway.listener,
    refuseUpgrade: upgradeGuard(origins, metrics),
  });

  const shutDown = async (): Promise<void> => {
    draining = true;
    timers.stop();
    confirming.stop();
    await sleep(options.drainDelayMs);
    watching.stop();
    transport.stopListening();
    const handOver = async () => {
      await engine.stop(options.drainMs);
      node?.handedOver();
    };
    if (node === undefined) {
      await handOver();
      await gateway.drain(CLOSE_MS);
    } else await Promise.all([handOver(), gateway.drain(Math.max(0, options.drainMs - CLOSE_MS))]);
    node?.leave();
    gateway.close();
    hub.close();
    ports.presence.close();
    await transport.close();
    for (const provider of ports.providers) provider.close();
    await log.close();
    await files.close();
    await store.close();
  };
  let stopping: Promise<void> | undefined;

  return {
    start: async () => {
      try {
        await engine.start();
      } catch (error) {
        if (stopping === undefined) throw error;
      }
      if (stopping !== undefined) return undefined;
      timers.repeat(sweeper.pauseMs, sweeper.sweep);
      if (node !== undefined) {
        confirming.repeat(node.pauseMs, node.confirm);
        watching.repeat(stranded.pauseMs, stranded.look);
      }
      return transport.listen();
    },
    createLoginCode: () => sessions.createLoginCode(),
    stop: () => (stopping ??= shutDown()),
  };
}
