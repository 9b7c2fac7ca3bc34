/**
 * What operators, load balancers and Prometheus ask. Anybody may, as often as they like: the answers name no secret,
 * and what the node depends on is probed at most once a second.
 *
 *   /health   is all well?              store and Redis answer, and this node does not drain
 *   /livez    should it be restarted?   never asks either of them: a restart mends no database
 *   /readyz   new connections here?     both, with hysteresis; not while draining
 */
import type { HttpResponse, HttpRoute } from "../ports/http.ts";
import { type Clock, systemClock } from "./clock.ts";
import { jsonAnswer } from "./http-answer.ts";
import type { NodeHealth } from "./node-health.ts";
import { isReady, probed, READY, type Readiness } from "./readiness.ts";

export interface StatusOptions {
  readonly mode: string;
  /** Sessions with a connection here. */
  sessions(): number;
  draining(): boolean;
  readonly health: NodeHealth;
  /** What `/metrics` answers. */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  readonly clock?: Clock;
}

const DRAINING = "This node is shutting down.";

export function statusRoutes(options: StatusOptions): readonly HttpRoute[] {
  const { mode, clock = systemClock } = options;
  let readiness: Readiness = READY;

  async function health(): Promise<HttpResponse> {
    const reason = options.draining() ? DRAINING : await options.health.problem();
    const rest = { mode, sessions: options.sessions() };
    return reason === undefined
      ? jsonAnswer(200, { status: "healthy", ...rest })
      : jsonAnswer(503, { status: "unhealthy", reason, ...rest });
  }

  async function ready(): Promise<HttpResponse> {
    if (options.draining()) return jsonAnswer(503, { status: "draining", reason: DRAINING });
    const reason = await options.health.problem();
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
