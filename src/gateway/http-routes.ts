/**
 * What operators, load balancers and Prometheus ask. Anybody may, as often as they like: the answers name no secret,
 * and the store is probed at most once a second.
 *
 *   /health   is all well?              the store answers, and this node does not drain
 *   /livez    should it be restarted?   never asks the store: a restart mends no database
 *   /readyz   new connections here?     the store, with hysteresis; not while draining
 */
import type { HttpResponse, HttpRoute } from "../ports/http.ts";
import type { Logger } from "../ports/logger.ts";
import { type Clock, systemClock } from "./clock.ts";
import { jsonAnswer } from "./http-answer.ts";
import { isReady, probed, type Readiness } from "./readiness.ts";

export interface StatusOptions {
  readonly mode: string;
  /** Sessions with a connection here. */
  sessions(): number;
  draining(): boolean;
  /** Rejects when the store does not answer in time: `Store.probe`. */
  probe(timeoutMs: number): Promise<void>;
  /** What `/metrics` answers. */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** A store that takes longer than this to answer a probe is as good as gone. */
const PROBE_MS = 2000;
/** A probe's result serves everybody who asks within this time. */
const FRESH_MS = 1000;

const STORE_DOWN = "The store does not answer. Streams that run go on; new work is refused until it is back.";
const DRAINING = "This node is shutting down.";

export function statusRoutes(options: StatusOptions): readonly HttpRoute[] {
  const { mode, clock = systemClock } = options;
  const store = new StoreProbe(options, clock);
  let readiness: Readiness = { kind: "starting" };

  async function health(): Promise<HttpResponse> {
    const reason = options.draining() ? DRAINING : (await store.answers()) ? undefined : STORE_DOWN;
    const rest = { mode, sessions: options.sessions() };
    return reason === undefined
      ? jsonAnswer(200, { status: "healthy", ...rest })
      : jsonAnswer(503, { status: "unhealthy", reason, ...rest });
  }

  async function ready(): Promise<HttpResponse> {
    if (options.draining()) return jsonAnswer(503, { status: "draining", reason: DRAINING });
    readiness = probed(readiness, await store.answers(), clock.now());
    return isReady(readiness, clock.now())
      ? jsonAnswer(200, { status: "ready" })
      : jsonAnswer(503, { status: "not ready", reason: STORE_DOWN });
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

/** One probe at a time, its result kept for a moment, and a limit that holds even if the store's own does not. */
class StoreProbe {
  readonly #options: StatusOptions;
  readonly #clock: Clock;
  #running: Promise<boolean> | undefined = undefined;
  #last: { readonly ok: boolean; readonly at: number } | undefined = undefined;

  constructor(options: StatusOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  async answers(): Promise<boolean> {
    const last = this.#last;
    if (last !== undefined && this.#clock.now() - last.at < FRESH_MS) return last.ok;
    this.#running ??= this.#probe().finally(() => (this.#running = undefined));
    return await this.#running;
  }

  async #probe(): Promise<boolean> {
    let stop = (): void => {};
    const late = new Promise<never>((_, reject) => {
      stop = this.#clock.after(PROBE_MS * 2, () => reject(new Error("the store's probe did not end in time")));
    });
    let ok = true;
    try {
      await Promise.race([this.#options.probe(PROBE_MS), late]);
    } catch (error) {
      ok = false;
      // Once per change, not once per probe.
      if (this.#last?.ok !== false) this.#options.log.warn({ err: error }, "the store does not answer");
    } finally {
      stop();
    }
    if (ok && this.#last?.ok === false) this.#options.log.info({}, "the store answers again");
    this.#last = { ok, at: this.#clock.now() };
    return ok;
  }
}
