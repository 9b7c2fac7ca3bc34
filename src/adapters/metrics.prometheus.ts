/** `ServerMetrics` in Prometheus's text format. Durations are in seconds there. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { DeliveryCounts, Gauge as GaugeName } from "../ports/metrics.ts";
import type { ArrayHistogram } from "./metrics-histogram.ts";
import type { ServerMetrics } from "./metrics.ts";

export type Exposition = () => Promise<{ readonly contentType: string; readonly body: string }>;

/** A scrape waits this long for the store to count runs, and goes without it then. */
const RUN_COUNTS_MS = 1000;

const GAUGES: Readonly<Record<GaugeName, readonly [name: string, help: string]>> = {
  sessions: ["parley_sessions", "Sessions with a connection to this node."],
  topics: ["parley_topics", "Topics that this node follows."],
  subscriptions: ["parley_subscriptions", "Subscriptions of all connections."],
  runs: ["parley_runs_active", "Runs that this node works on."],
  handshakesWaiting: ["parley_handshakes_waiting", "Connections that wait to be greeted."],
  requestsInFlight: ["parley_requests_in_flight", "Requests that wait for their answer."],
  bufferedBytes: ["parley_buffered_bytes", "Bytes that wait for slow peers."],
  sendingAway: [
    "parley_sending_away",
    "1 while this node sends its clients to others, as it is cut off from what it needs and they are not.",
  ],
  redisUp: ["parley_redis_up", "1 while Redis answers, 0 while it does not."],
  redisPing: ["parley_redis_ping_seconds", "How long Redis took to answer the last ping."],
  redisReconnects: ["parley_redis_reconnects", "How often the connection to Redis was made anew."],
};

/** Statuses of a run that is not over; those that are over are counted by parley_runs_ended_total. */
const OPEN_STATUSES = ["queued", "running", "waiting"];

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];
type AddCounter = (name: string, help: string, labelNames: readonly string[], read: () => Iterable<Sample>) => void;

/** Registers everything once; what it returns reads the counts anew each time. */
export function exposition(source: ServerMetrics): Exposition {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const counter: AddCounter = (name, help, labelNames, read) => {
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc({ ...labels }, value);
      },
    });
  };
  const total = (name: string, help: string, read: () => number) => counter(name, help, [], () => [[{}, read()]]);

  counters(source, counter, total);
  modelCounters(source, counter);
  toolCounters(source, counter);
  new ArraysHistogram({
    name: "parley_request_seconds",
    help: "From a request's arrival to its answer.",
    registers,
    read: () => [...source.methods].map(([method, { latency }]) => [{ method }, latency] as const),
  });
  new ArraysHistogram({
    name: "parley_first_token_seconds",
    help: "From an accepted request to the first text of its answer.",
    registers,
    read: () => [[{}, source.firstTokens]],
  });
  new ArraysHistogram({
    name: "parley_log_append_seconds",
    help: "One batch of appends to the event log.",
    registers,
    read: () => [[{}, source.appends]],
  });
  new ArraysHistogram({
    name: "parley_model_first_token_seconds",
    help: "From a request to a provider to the first thing that its model said.",
    registers,
    read: () => [...source.agent.models].map(([model, { spoke }]) => [{ model }, spoke] as const),
  });
  new ArraysHistogram({
    name: "parley_tool_seconds",
    help: "What tool calls ran.",
    registers,
    read: () => [...source.agent.tools].map(([tool, { duration }]) => [{ tool }, duration] as const),
  });
  gauges(source, registry);

  return async () => ({ contentType: registry.contentType, body: await registry.metrics() });
}

function counters(
  source: ServerMetrics,
  counter: AddCounter,
  total: (name: string, help: string, read: () => number) => void,
): void {
  total("parley_connections_opened_total", "Connections accepted.", () => source.opened);
  counter("parley_connections_closed_total", "Connections closed, by close code.", ["code"], () =>
    [...source.closes].map(([code, count]) => [{ code: String(code) }, count]),
  );
  counter("parley_refused_total", "Upgrades and logins that were refused, by error code.", ["code"], () =>
    [...source.refusals].map(([code, count]) => [{ code }, count]),
  );
  counter("parley_requests_total", "Requests answered, by method and error code.", ["method", "code"], function* () {
    for (const [method, { ok, errors }] of source.methods) {
      yield [{ method, code: "OK" }, ok];
      for (const [code, count] of errors) yield [{ method, code }, count];
    }
  });
  total("parley_events_delivered_total", "Log entries sent, once per subscriber.", () => delivered(source, "events"));
  total("parley_bytes_delivered_total", "Bytes of the frames that carried events.", () => delivered(source, "bytes"));
  total("parley_lagging_total", "Subscriptions that fell behind.", () => delivered(source, "lagged"));
  total("parley_resyncs_total", "Subscriptions that had to start again.", () => delivered(source, "resyncs"));
  total("parley_gaps_healed_total", "Gaps repaired from the log.", () => delivered(source, "gapsHealed"));
  total("parley_too_slow_total", "Connections closed 4008.", () => delivered(source, "tooSlow"));
  total("parley_log_reads_failed_total", "Reads of the log that failed.", () => delivered(source, "readsFailed"));
  total("parley_log_entries_appended_total", "Entries appended to the event log.", () => source.appendedEntries);
  total("parley_runs_started_total", "Runs claimed, takeovers included.", () => source.runsStarted);
  total("parley_runs_taken_over_total", "Runs claimed from an expired lease.", () => source.takeovers);
  counter("parley_runs_ended_total", "Runs that ended here, by how.", ["status"], () =>
    Object.entries(source.runEnds).map(([status, count]) => [{ status }, count]),
  );
  counter("parley_presence_changes_total", "Changes of presence heard, of all nodes, by state.", ["state"], () =>
    Object.entries(source.presence).map(([state, count]) => [{ state }, count]),
  );
  total("parley_model_deltas_total", "Deltas that models produced.", () => source.modelTokens);
  total("parley_bugs_total", "Errors that should not have happened; each is in the log.", () => source.bugs);
}

function modelCounters(source: ServerMetrics, counter: AddCounter): void {
  const { models } = source.agent;
  counter(
    "parley_model_calls_total",
    'Calls to providers, by how they ended: "ok", "aborted", or what failed.',
    ["model", "outcome"],
    function* () {
      for (const [model, { outcomes }] of models) {
        for (const [outcome, count] of outcomes) yield [{ model, outcome }, count];
      }
    },
  );
  counter("parley_model_retries_total", "Calls repeated, by what had failed.", ["model", "kind"], function* () {
    for (const [model, { retries }] of models) for (const [kind, count] of retries) yield [{ model, kind }, count];
  });
  counter("parley_model_fallbacks_total", "Times that a model was given up for the next.", ["model"], () =>
    [...models].map(([model, { fallbacks }]) => [{ model }, fallbacks]),
  );
  counter(
    "parley_model_tokens_total",
    "Tokens as providers count them: cached is a part of input, reasoning of output.",
    ["model", "kind"],
    function* () {
      for (const [model, counts] of models) {
        yield [{ model, kind: "input" }, counts.inputTokens];
        yield [{ model, kind: "cached" }, counts.cachedInputTokens];
        yield [{ model, kind: "output" }, counts.outputTokens];
        yield [{ model, kind: "reasoning" }, counts.reasoningTokens];
      }
    },
  );
  counter("parley_model_cost_usd_total", "What answers cost, where the price is known.", ["model"], () =>
    [...models].map(([model, { costMicros }]) => [{ model }, costMicros / 1e6]),
  );
}

function toolCounters(source: ServerMetrics, counter: AddCounter): void {
  const { tools, approvals } = source.agent;
  counter("parley_tool_calls_total", "Tool calls, by how they ended.", ["tool", "outcome"], function* () {
    for (const [tool, { outcomes }] of tools) {
      for (const [outcome, count] of outcomes) yield [{ tool, outcome }, count];
    }
  });
  counter("parley_approvals_total", "Approvals that were asked for, by how they ended.", ["outcome"], () =>
    Object.entries(approvals).map(([outcome, count]) => [{ outcome }, count]),
  );
}

const delivered = (source: ServerMetrics, name: keyof DeliveryCounts): number => source.deliveryCounts?.[name] ?? 0;

function gauges(source: ServerMetrics, registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: "parley_connections",
    help: "Open connections.",
    registers,
    collect() {
      this.set(source.opened - source.closed);
    },
  });
  for (const [key, [name, help]] of Object.entries(GAUGES)) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const value = readGauge(source, key as GaugeName);
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }
  new Gauge({
    name: "parley_runs",
    help: "Runs of the whole deployment that are not over, by status.",
    labelNames: ["status"],
    registers,
    async collect() {
      this.reset();
      const counts = await runCounts(source);
      if (counts === undefined) return;
      for (const status of OPEN_STATUSES) this.set({ status }, counts[status] ?? 0);
    },
  });
  new Gauge({
    name: "parley_model_breaker_state",
    help: "Circuit breaker of a model, as this node knows it: 0 closed, 1 half-open (a probe is out), 2 open.",
    labelNames: ["model"],
    registers,
    collect() {
      this.reset();
      for (const [model, value] of breakerStates(source)) this.set({ model }, value);
    },
  });
  new Gauge({
    name: "parley_event_loop_delay_seconds",
    help: "How late the event loop was since the last scrape.",
    labelNames: ["quantile"],
    registers,
    collect() {
      const { loopDelay } = source;
      for (const quantile of [50, 90, 99]) {
        this.set({ quantile: String(quantile / 100) }, loopDelay.percentile(quantile) / 1e9);
      }
      // Of an empty histogram it is the largest or the smallest number there is.
      this.set({ quantile: "1" }, loopDelay.count === 0 ? 0 : loopDelay.max / 1e9);
      loopDelay.reset();
    },
  });
}

const BREAKER_VALUE = { closed: 0, "half-open": 1, open: 2 } as const;

/** Of models that share a label the worst; none when they can't be read. */
function breakerStates(source: ServerMetrics): ReadonlyMap<string, number> {
  const states = new Map<string, number>();
  try {
    for (const [model, state] of source.readBreakers?.() ?? []) {
      const label = source.agent.models.label(model);
      states.set(label, Math.max(states.get(label) ?? 0, BREAKER_VALUE[state]));
    }
  } catch {
    return new Map();
  }
  return states;
}

function readGauge(source: ServerMetrics, name: GaugeName): number | undefined {
  try {
    const value = source.gauges.get(name)?.();
    return value !== undefined && Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** undefined when nobody counts them, or the store does not answer in time: the scrape shows everything else. */
async function runCounts(source: ServerMetrics): Promise<Readonly<Record<string, number>> | undefined> {
  if (source.readRunCounts === undefined) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), RUN_COUNTS_MS);
  });
  try {
    return await Promise.race([source.readRunCounts(), late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

interface ArraysConfiguration {
  readonly name: string;
  readonly help: string;
  readonly registers: Registry[];
  /** Milliseconds; each with its labels. */
  read(): Iterable<readonly [Labels, ArrayHistogram]>;
}

interface NamedSample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A histogram that is counted elsewhere. One that has seen nothing is left out, to keep the scrape small. */
class ArraysHistogram extends Histogram {
  readonly #configuration: ArraysConfiguration;

  constructor(configuration: ArraysConfiguration) {
    const { name, help, registers } = configuration;
    super({ name, help, registers });
    this.#configuration = configuration;
  }

  /** What the registry asks for when it writes text; prom-client's types leave it out. */
  async getForPromString(): Promise<object> {
    const { name, help } = this.#configuration;
    const values: NamedSample[] = [];
    for (const [labels, histogram] of this.#configuration.read()) {
      if (histogram.count === 0) continue;
      const cumulative = histogram.cumulative();
      histogram.bounds.forEach((bound, i) => {
        values.push({
          metricName: `${name}_bucket`,
          labels: { ...labels, le: bound / 1000 },
          value: cumulative[i] ?? 0,
        });
      });
      values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: histogram.count });
      values.push({ metricName: `${name}_sum`, labels, value: histogram.sum / 1000 });
      values.push({ metricName: `${name}_count`, labels, value: histogram.count });
    }
    return { name, help, type: "histogram", values };
  }
}
