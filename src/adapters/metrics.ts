/**
 * Counts in plain fields; prom-client is loaded and filled when somebody asks. So a count costs nanoseconds, a server
 * that nobody scrapes never loads the library, and labels take only values known in advance.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { BreakerState } from "../ports/breaker.ts";
import type {
  ApprovalOutcome,
  DeliveryCounts,
  Gauge,
  Metrics,
  ModelOutcome,
  RunEnd,
  ToolOutcome,
} from "../ports/metrics.ts";
import type { ModelErrorKind } from "../ports/model.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { METHODS } from "../protocol/methods.ts";
import type { PresenceChange, Usage } from "../protocol/shapes.ts";
import { AgentCounts, bump } from "./metrics-agent.ts";
import { ArrayHistogram } from "./metrics-histogram.ts";
import type { Exposition } from "./metrics.prometheus.ts";

/** Milliseconds. */
const REQUEST_MS = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000];
const FIRST_TOKEN_MS = [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000];
const APPEND_MS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000];
/** The event loop is looked at this often. */
const LOOP_RESOLUTION_MS = 20;

const UNKNOWN = "unknown";

/** Close codes of their own; every other one is "other". */
const CLOSE_CODES = [1000, 1001, 1005, 1006, 1011, 4001, 4008, 4009, 4010, 4029, 4500, 4501, 4503, 4504];

export interface MethodCounts {
  readonly latency: ArrayHistogram;
  /** Answers that were results. */
  ok: number;
  readonly errors: Map<ErrorCode, number>;
}

export interface MetricsOptions {
  /** The names that a `method` label may take; every other one is "unknown". */
  readonly methods?: readonly string[];
}

export class ServerMetrics implements Metrics {
  readonly methods = new Map<string, MethodCounts>();
  readonly closes = new Map<number | "other", number>();
  readonly refusals = new Map<ErrorCode, number>();
  readonly runEnds: Record<RunEnd, number> = { completed: 0, stopped: 0, failed: 0, lost: 0 };
  readonly presence: Record<PresenceChange["state"], number> = { active: 0, typing: 0, away: 0, gone: 0 };
  readonly gauges = new Map<Gauge, () => number>();
  readonly firstTokens = new ArrayHistogram(FIRST_TOKEN_MS);
  readonly appends = new ArrayHistogram(APPEND_MS);
  readonly agent = new AgentCounts();
  readonly loopDelay: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  deliveryCounts: DeliveryCounts | undefined = undefined;
  readRunCounts: (() => Promise<Readonly<Record<string, number>>>) | undefined = undefined;
  readBreakers: (() => Iterable<readonly [model: string, state: BreakerState["state"]]>) | undefined = undefined;
  opened = 0;
  closed = 0;
  appendedEntries = 0;
  runsStarted = 0;
  takeovers = 0;
  modelTokens = 0;
  bugs = 0;
  readonly #unknown: MethodCounts = newMethodCounts();
  #exposition: Promise<Exposition> | undefined = undefined;

  constructor({ methods = Object.keys(METHODS) }: MetricsOptions = {}) {
    for (const method of methods) this.methods.set(method, newMethodCounts());
    this.methods.set(UNKNOWN, this.#unknown);
    for (const code of CLOSE_CODES) this.closes.set(code, 0);
    this.closes.set("other", 0);
    this.loopDelay.enable();
  }

  connectionOpened(): void {
    this.opened++;
  }

  connectionClosed(code: number): void {
    this.closed++;
    bump(this.closes, this.closes.has(code) ? code : "other");
  }

  refused(code: ErrorCode): void {
    bump(this.refusals, code);
  }

  requestFinished(method: string, ms: number, error?: ErrorCode): void {
    const counts = this.methods.get(method) ?? this.#unknown;
    counts.latency.add(ms);
    if (error === undefined) counts.ok++;
    else bump(counts.errors, error);
  }

  delivery(counts: DeliveryCounts): void {
    this.deliveryCounts = counts;
  }

  appended(entries: number, ms: number): void {
    this.appendedEntries += entries;
    this.appends.add(ms);
  }

  runStarted(takeover: boolean): void {
    this.runsStarted++;
    if (takeover) this.takeovers++;
  }

  runEnded(status: RunEnd): void {
    this.runEnds[status]++;
  }

  firstToken(ms: number): void {
    this.firstTokens.add(ms);
  }

  tokens(count: number): void {
    this.modelTokens += count;
  }

  modelCalled(model: string, outcome: ModelOutcome): void {
    bump(this.agent.models.of(model).outcomes, outcome);
  }

  modelSpoke(model: string, ms: number): void {
    this.agent.models.of(model).spoke.add(ms);
  }

  modelUsed(model: string, usage: Usage): void {
    this.agent.models.of(model).used(usage);
  }

  modelRetried(model: string, kind: ModelErrorKind): void {
    bump(this.agent.models.of(model).retries, kind);
  }

  modelFellBack(model: string): void {
    this.agent.models.of(model).fallbacks++;
  }

  breakers(read: () => Iterable<readonly [model: string, state: BreakerState["state"]]>): void {
    this.readBreakers = read;
  }

  toolFinished(tool: string, outcome: ToolOutcome, ms: number): void {
    this.agent.toolFinished(tool, outcome, ms);
  }

  approvalEnded(outcome: ApprovalOutcome): void {
    this.agent.approvals[outcome]++;
  }

  presenceChanged(state: PresenceChange["state"]): void {
    this.presence[state]++;
  }

  bug(): void {
    this.bugs++;
  }

  gauge(name: Gauge, read: () => number): void {
    this.gauges.set(name, read);
  }

  runCounts(read: () => Promise<Readonly<Record<string, number>>>): void {
    this.readRunCounts = read;
  }

  /** What a scrape gets. */
  async expose(): Promise<{ readonly contentType: string; readonly body: string }> {
    this.#exposition ??= import("./metrics.prometheus.ts").then(({ exposition }) => exposition(this));
    return (await this.#exposition)();
  }

  /** Stops looking at the event loop. */
  close(): void {
    this.loopDelay.disable();
  }
}

const newMethodCounts = (): MethodCounts => ({ latency: new ArrayHistogram(REQUEST_MS), ok: 0, errors: new Map() });
