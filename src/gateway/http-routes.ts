/**
 * What operators, load balancers and Prometheus ask. Anybody may, as often as they like: the answers name no secret,
 * and what the node depends on is probed at most once a second.
 *
 *   /health   is all well?              store and Redis answer, and this node does not drain
 *   /livez    should it be restarted?   never asks either of them: a restart mends no database
 *   /readyz   new connections here?     both, with hysteresis; not while draining
 */
import type { Dependency } from "../ports/dependency.ts";
import type { HttpResponse, HttpRoute } from "../ports/http.ts";
import type { Logger } from "../ports/logger.ts";
import { type Clock, systemClock } from "./clock.ts";
import { DependencyProbe } from "./dependency-probe.ts";
import { jsonAnswer } from "./http-answer.ts";
import { isReady, probed, READY, type Readiness } from "./readiness.ts";

export interface StatusOptions {
  readonly mode: string;
  /** Sessions with a connection here. */
  sessions(): number;
  draining(): boolean;
  /** Rejects when the store does not answer in time: `Store.probe`. */
  probe(timeoutMs: number): Promise<void>;
  /** What it depends on besides. */
  readonly dependencies?: readonly Dependency[];
  /** What `/metrics` answers. */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  readonly log: Logger;
  readonly clock?: Clock;
}

const STORE_DOWN = "The store does not answer. Streams that run go on; new work is refused until it is back.";
const DRAINING = "This node is shutting down.";

export function statusRoutes(options: StatusOptions): readonly HttpRoute[] {
  const { mode, clock = systemClock } = options;
  const store: Dependency = {
    name: "the store",
    down: STORE_DOWN,
    probe: async (timeoutMs) => {
      await options.probe(timeoutMs);
      return undefined;
    },
  };
  const probes = [store, ...(options.dependencies ?? [])].map((each) => new DependencyProbe(each, options.log, clock));
  let readiness: Readiness = READY;

  /** Everything that is wrong, or undefined. */
  async function problems(): Promise<string | undefined> {
    const found = await Promise.all(probes.map((probe) => probe.problem()));
    return found.filter((problem) => problem !== undefined).join(" ") || undefined;
  }

  async function health(): Promise<HttpResponse> {
    const reason = options.draining() ? DRAINING : await problems();
    const rest = { mode, sessions: options.sessions() };
    return reason === undefined
      ? jsonAnswer(200, { status: "healthy", ...rest })
      : jsonAnswer(503, { status: "unhealthy", reason, ...rest });
  }

  async function ready(): Promise<HttpResponse> {
    if (options.draining()) return jsonAnswer(503, { status: "draining", reason: DRAINING });
    const reason = await problems();
    readiness = probed(readiness, reason === undefined, clock.now());
    return isReady(readiness, clock.now())
      ? jsonAnswer(200, { status: "ready", ...(reason !== undefined && { reason }) })
      : jsonAnswer(503, { status: "not ready", reason });
  }

  async function metrics(): Promise<HttpResponse> {
    const { contentType, body } = await options.metrics();
    return { status: 200, headers: { "content-type": contentType, "cache-control": "no-store" }, body };
  }

  const get = (path: string, handle: HttpRoute["handle"]): HttpRoute => ({ method: "GET", path, maxBody: 0, handle });
  return [
    get("/health", health),
    get("/livez", () => jsonAnswer(200, { status: "alive" })),
    get("/readyz", ready),
    get("/metrics", metrics),
  ];
}
