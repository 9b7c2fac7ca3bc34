/**
 * The server, put together from ports: everything but the choice of adapters, which is main's.
 *
 *   start   engine (takes over orphaned runs) → listener
 *   stop    readiness fails → delay → listener closed → runs handed over ─┬→ clients sent away → rest closed
 *                                       clients told to reconnect elsewhere ┘
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createModelCatalog } from "./agent/catalog.ts";
import { createEngine } from "./agent/engine.ts";
import { systemClock } from "./gateway/clock.ts";
import { DeliveryHub } from "./gateway/delivery-hub.ts";
import { newDeliveryCounters } from "./gateway/delivery-types.ts";
import { createGateway } from "./gateway/gateway.ts";
import { statusRoutes } from "./gateway/http-routes.ts";
import type { GatewayLimits } from "./gateway/limits.ts";
import { originPolicy, upgradeGuard } from "./gateway/origin.ts";
import { Reads } from "./gateway/reads.ts";
import type { Entry } from "./gateway/registry.ts";
import type { EventLog } from "./ports/event-log.ts";
import type { HttpRoute, Transport, TransportHooks } from "./ports/http.ts";
import type { Logger } from "./ports/logger.ts";
import type { Metrics } from "./ports/metrics.ts";
import type { ModelProvider } from "./ports/model.ts";
import type { Services } from "./ports/services.ts";
import type { Store } from "./ports/store.ts";
import { SessionManager } from "./sessions/session-manager.ts";

export interface AppPorts {
  readonly store: Store;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What `/metrics` answers. */
  exposeMetrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  readonly providers: readonly ModelProvider[];
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
  readonly defaultModel: string;
  readonly runDeadlineMs: number;
  readonly maxActiveRuns: number;
  readonly maxQueuedRuns: number;
  readonly limits: GatewayLimits;
  /** Checks each result against its schema before it is sent: for development. */
  readonly checkResults: boolean;
}

export interface App {
  /** Serves when it resolves, with the port that was bound; undefined when it was stopped before that. */
  start(): Promise<number | undefined>;
  /** A code for one login, to be shown to whoever started the server. */
  createLoginCode(): string;
  /** Hands over and ends within drainDelayMs + drainMs. Idempotent. */
  stop(): Promise<void>;
}

/** What is left of the drain for closing what runs in this process. */
const CLOSE_MS = 1_000;

export function createApp(options: AppOptions, ports: AppPorts, handlers: ReadonlyMap<string, Entry>): App {
  const { store, log, logger, metrics } = ports;
  const models = createModelCatalog(ports.providers, options.defaultModel);
  const sessions = new SessionManager({
    store: store.sessions,
    log: logger,
    lifetimeMs: options.sessionLifetimeMs,
    accessToken: options.accessToken,
    requestRate: { perSecond: options.limits.requestsPerSecond, burst: options.limits.requestBurst },
  });
  const engine = createEngine({
    store,
    log,
    models,
    metrics,
    logger,
    // Without Redis there is one node on a store: main holds the lock of the folder or of the database.
    exclusive: true,
    maxRuns: options.maxActiveRuns,
  });
  const counters = newDeliveryCounters();
  metrics.delivery(counters);
  const hub = new DeliveryHub({
    log,
    store,
    clock: systemClock,
    logger,
    counters,
    maxSubscriptions: options.limits.subscriptions,
  });
  const services: Services = {
    store,
    sessions,
    reads: new Reads({ log, store, clock: systemClock }),
    agent: engine,
    models,
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
    trustProxy: options.trustProxy,
    checkResults: options.checkResults,
  });
  metrics.gauge("topics", () => hub.topics);
  metrics.gauge("subscriptions", () => hub.subscriptions);
  metrics.gauge("runs", () => engine.held);
  metrics.runCounts(() => store.runs.countByStatus());

  let draining = false;
  const routes = [
    ...gateway.routes,
    ...statusRoutes({
      mode: options.mode,
      sessions: () => sessions.sessionCount,
      draining: () => draining,
      probe: (timeoutMs) => store.probe(timeoutMs),
      metrics: () => ports.exposeMetrics(),
      log: logger,
    }),
    ports.pages,
  ];
  const transport = ports.transport({
    routes,
    connections: gateway.listener,
    refuseUpgrade: upgradeGuard(origins, metrics),
  });

  const shutDown = async (): Promise<void> => {
    draining = true;
    await sleep(options.drainDelayMs);
    transport.stopListening();
    await engine.stop(options.drainMs);
    await gateway.drain(CLOSE_MS);
    gateway.close();
    hub.close();
    await transport.close();
    for (const provider of ports.providers) provider.close();
    await log.close();
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
      return stopping === undefined ? transport.listen() : undefined;
    },
    createLoginCode: () => sessions.createLoginCode(),
    stop: () => (stopping ??= shutDown()),
  };
}
