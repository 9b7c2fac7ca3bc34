/** The owner of retries among scripted providers, on a clock that only its own waits move. */
import { MemoryBreakerStore } from "../../src/adapters/breaker-store.memory.ts";
import type { BreakerLimits } from "../../src/agent/circuit-breaker.ts";
import { ModelBreakers } from "../../src/agent/model-breakers.ts";
import { callModel, type ModelCallContext, type ModelCallInput, type ModelNotice } from "../../src/agent/model-call.ts";
import { RetryBudget } from "../../src/agent/retry-budget.ts";
import { StallWatch } from "../../src/agent/stall-watch.ts";
import { type Metrics, type ModelOutcome, noMetrics } from "../../src/ports/metrics.ts";
import {
  ModelError,
  type ModelAnswer,
  type ModelErrorKind,
  type ModelProvider,
  type ModelRequest,
  type ModelSink,
} from "../../src/ports/model.ts";
import { FakeClock } from "./clock.fake.ts";
import { recordingLogger } from "./logger.fake.ts";

/** What a scripted provider does at one call: it says `says`, then ends like that. */
export interface Turn {
  readonly says?: readonly string[];
  readonly ends:
    | ModelAnswer["stop"]
    | ModelErrorKind
    /** Neither says nor ends anything more; comes back from an abort. */
    | "silence"
    /** The same, and does not come back. */
    | "deaf"
    | Error;
  readonly retryAfterMs?: number;
}

export const answer = (...says: string[]): Turn => ({ says, ends: "end" });

const STOPS: ReadonlySet<unknown> = new Set(["end", "length", "tool-calls", "refusal", "aborted"]);
const USAGE = { inputTokens: 10, outputTokens: 5 };

export interface Asked {
  readonly provider: string;
  readonly model: string;
  readonly at: number;
}

export class ModelCallWorld {
  readonly clock = new FakeClock();
  readonly logger = recordingLogger();
  /** Calls that reached a provider, in order. */
  readonly asked: Asked[] = [];
  readonly waits: number[] = [];
  readonly notices: ModelNotice[] = [];
  readonly outcomes: [model: string, outcome: ModelOutcome][] = [];
  /** What came through to the run. */
  said = "";
  bugs = 0;
  /** Called by each wait, before it. */
  onWait: () => void = () => {};
  readonly abort = new AbortController();
  readonly context: ModelCallContext;

  constructor(more: Partial<ModelCallContext> = {}, limits: Partial<BreakerLimits> = {}) {
    const { clock, logger } = this;
    const now = () => clock.now();
    const metrics: Metrics = {
      ...noMetrics,
      modelCalled: (model, outcome) => this.outcomes.push([model, outcome]),
      bug: () => this.bugs++,
    };
    const store = new MemoryBreakerStore({ now });
    this.context = {
      breakers: new ModelBreakers({ store, logger, firstTokenMs: 10_000, limits }),
      budget: new RetryBudget({ burst: 1_000, perCall: 0, perSecond: 0 }),
      watch: new StallWatch({
        firstTokenMs: 10_000,
        silenceMs: 5_000,
        now,
        every: (ms, work) => clock.every(ms, work),
      }),
      cost: () => undefined,
      metrics,
      logger,
      now,
      date: () => Date.UTC(2026, 10, 21) + clock.now(),
      random: () => 1,
      sleep: async (ms, signal) => {
        this.onWait();
        if (signal.aborted) return;
        this.waits.push(ms);
        clock.advance(ms);
      },
      ...more,
    };
  }

  /** A provider of that name that does one turn after another; beyond its script it is asked too often. */
  provider(name: string, ...script: Turn[]): ModelProvider {
    return {
      name,
      list: () => [],
      passesThrough: true,
      stream: (request, sink, signal) => this.#stream(name, script, request, sink, signal),
      close() {},
    };
  }

  /** Calls the first of these providers, the others being its chain. */
  call(providers: readonly ModelProvider[], more: Partial<ModelCallInput> = {}) {
    const write = (text: string) => {
      this.said += text;
    };
    return callModel(this.context, {
      chain: providers.map((provider) => ({ model: `${provider.name}/m`, provider, keyId: "server" })),
      requestFor: ({ model }) => ({ model, messages: [], tools: [], cacheKey: "c" }),
      sink: {
        text: write,
        reasoning: (text) => write(`(${text})`),
        toolCall: (id, name) => write(`[${id} ${name}`),
        toolArgs: (_, delta) => write(delta),
      },
      signal: this.abort.signal,
      deadlineAt: 3_600_000,
      onNotice: (notice) => this.notices.push(notice),
      ...more,
    });
  }

  async #stream(
    name: string,
    script: Turn[],
    { model }: ModelRequest,
    sink: ModelSink,
    signal: AbortSignal,
  ): Promise<ModelAnswer> {
    this.asked.push({ provider: name, model, at: this.clock.now() });
    const turn = script.shift() ?? { ends: new Error("asked more often than the script says") };
    const { ends, retryAfterMs } = turn;
    for (const text of turn.says ?? []) sink.text(text);
    if (ends instanceof Error) throw ends;
    if (ends === "deaf") return new Promise(() => {});
    if (ends === "silence") {
      const { promise, resolve } = Promise.withResolvers<ModelAnswer>();
      signal.addEventListener("abort", () => resolve({ stop: "aborted", usage: USAGE }), { once: true });
      return promise;
    }
    if (STOPS.has(ends)) return { stop: ends as ModelAnswer["stop"], usage: USAGE };
    throw new ModelError(
      ends as ModelErrorKind,
      `${name}: ${ends}`,
      retryAfterMs === undefined ? {} : { retryAfterMs },
    );
  }
}
