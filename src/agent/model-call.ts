/**
 * The one owner of retries [R9], between a run's model call and the providers, whose own retries are off.
 *
 *   for each model of the chain:
 *     breaker ─ open ──────────────────────────────────────────────────────────────▶ next model
 *        └─▶ attempt ─▶ answered ─▶ done
 *                ├────▶ aborted ──▶ done, as it was asked
 *                ├────▶ failed after it spoke ──▶ fail: what came is kept, and nothing is said twice
 *                ├────▶ failed, may pass ─▶ wait (jitter, Retry-After, budget) ─▶ breaker
 *                ├────▶ failed, key or credit, or too often ───────────────────────▶ next model
 *                └────▶ failed for what the request holds ─▶ fail
 *
 * Each failure, retry and fallback is logged and counted, and the person who waits is told.
 */
import type { z } from "zod";
import type { BreakerStore } from "../ports/breaker.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import { ModelError, type ModelAnswer, type ModelRequest, type ModelSink } from "../ports/model.ts";
import type { ModelCandidate } from "../ports/services.ts";
import type { runNotice } from "../protocol/events.ts";
import type { Usage } from "../protocol/shapes.ts";
import { pauseUnlessAborted } from "./log-batcher-retry.ts";
import { ModelBreakers, type Permit, type Report } from "./model-breakers.ts";
import { Attempt, NOTHING_USED, type AttemptEnd } from "./model-call-attempt.ts";
import { decide, excuse, isOutage, mostTelling, type Decision } from "./model-call-policy.ts";
import { RetryBudget } from "./retry-budget.ts";
import { StallWatch, type StallLimits } from "./stall-watch.ts";

/** The value of a `run.notice` event, but for the run's id. */
export type ModelNotice = Omit<z.infer<typeof runNotice>["value"], "runId">;

/** What all calls of a process share. */
export interface ModelCallContext {
  readonly breakers: ModelBreakers;
  readonly budget: RetryBudget;
  readonly watch: StallWatch;
  /** Millionths of a US dollar; undefined where the price is not known. */
  readonly cost: (model: string, usage: Usage) => number | undefined;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Of the day, in milliseconds, to tell a person when. */
  readonly date: () => number;
  /** 0 … 1. */
  readonly random: () => number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface ModelCallInput {
  /** The model that was chosen, then those to fall back to. Not empty. */
  readonly chain: readonly ModelCandidate[];
  /**
   * The request as this candidate takes it: its model's id, and what another provider gave to continue with left out.
   */
  readonly requestFor: (candidate: ModelCandidate) => ModelRequest | Promise<ModelRequest>;
  readonly sink: ModelSink;
  readonly signal: AbortSignal;
  /** No wait goes beyond it, on the clock `now`. */
  readonly deadlineAt: number;
  /** Called before each wait and each change of the model. */
  readonly onNotice: (notice: ModelNotice) => void;
}

export interface ModelCallResult {
  /** `usage` has its cost where that is known. `aborted` only by `signal`. */
  readonly answer: ModelAnswer;
  /** Who gave it, or was asked when it was aborted. */
  readonly model: string;
  readonly provider: string;
  /** From the request that was answered to the first thing it said; null when it said nothing. */
  readonly firstTokenMs: number | null;
}

export interface ModelCallOptions {
  readonly breakerStore: BreakerStore;
  readonly stall: StallLimits;
  readonly cost: ModelCallContext["cost"];
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export function createModelCallContext(options: ModelCallOptions): ModelCallContext {
  const { breakerStore, stall, cost, metrics, logger } = options;
  const breakers = new ModelBreakers({ store: breakerStore, logger, firstTokenMs: stall.firstTokenMs });
  metrics.breakers(() => breakers.states());
  return {
    breakers,
    budget: new RetryBudget(),
    watch: new StallWatch(stall),
    cost,
    metrics,
    logger,
    now: () => performance.now(),
    date: () => Date.now(),
    random: Math.random,
    sleep: pauseUnlessAborted,
  };
}

/** Rejects with a `ModelError` when everything is spent, or when it failed after it spoke. */
export const callModel = (context: ModelCallContext, input: ModelCallInput): Promise<ModelCallResult> =>
  new Call(context, input).run();

class Call {
  readonly #context: ModelCallContext;
  readonly #input: ModelCallInput;
  readonly #errors: ModelError[] = [];

  constructor(context: ModelCallContext, input: ModelCallInput) {
    this.#context = context;
    this.#input = input;
  }

  async run(): Promise<ModelCallResult> {
    const { chain } = this.#input;
    for (const [index, candidate] of chain.entries()) {
      const result = await this.#ask(candidate);
      if (result !== undefined) return result;
      const next = chain[index + 1];
      if (next !== undefined) this.#fallBack(candidate, next);
    }
    throw mostTelling(this.#errors) ?? new ModelError("request", "There is no model to ask.");
  }

  /** Undefined: on to the next model. */
  async #ask(candidate: ModelCandidate): Promise<ModelCallResult | undefined> {
    const { signal, requestFor } = this.#input;
    const request = await requestFor(candidate);
    for (let attempts = 1; ; attempts++) {
      const permit = await this.#context.breakers.ask(candidate);
      if (signal.aborted) return this.#unasked(candidate, permit);
      if (!permit.granted) {
        this.#refused(candidate, permit);
        return undefined;
      }
      if (attempts === 1) this.#context.budget.called();
      const { end, spoke, firstTokenMs, refusedForMs } = await this.#attempt(candidate, request, permit);
      if (end.type !== "failed") return this.#done(candidate, end, firstTokenMs);
      const decision = this.#decide(end.error, attempts, spoke, refusedForMs);
      this.#log(candidate, end.error, attempts, decision);
      if (decision.type === "fail") throw spoke ? end.error : (mostTelling([...this.#errors, end.error]) ?? end.error);
      if (decision.type === "next") {
        this.#errors.push(end.error);
        return undefined;
      }
      await this.#wait(candidate, end.error, decision.waitMs);
      if (signal.aborted) return this.#unasked(candidate);
    }
  }

  async #attempt(
    candidate: ModelCandidate,
    request: ModelRequest,
    permit: Permit,
  ): Promise<{ end: AttemptEnd; spoke: boolean; firstTokenMs: number | null; refusedForMs: number }> {
    const { metrics, watch, now, sleep, logger } = this.#context;
    const { sink, signal } = this.#input;
    let firstTokenMs: number | null = null;
    let told: Promise<number> | undefined;
    const attempt = new Attempt(candidate, sink, {
      watch,
      now,
      sleep,
      onSpoke: (ms) => {
        firstTokenMs = ms;
        metrics.modelSpoke(candidate.model, ms);
        // A model that answers works: whoever waits for the probe need not wait for the end of a long answer.
        told = this.#context.breakers.report(candidate, permit, { type: "success" });
      },
      onBug: (error) => {
        metrics.bug();
        logger.error({ err: error, model: candidate.model }, "a provider failed without saying of what");
      },
    });
    const end = await attempt.run(request, signal);
    metrics.modelCalled(candidate.model, outcome(end));
    let refusedForMs = (await told) ?? 0;
    if (told === undefined || end.type === "failed") {
      refusedForMs = await this.#context.breakers.report(candidate, permit, verdict(end));
    }
    return { end, spoke: attempt.spoke, firstTokenMs, refusedForMs };
  }

  /** A retry that the breaker or the budget refuses is not waited for. */
  #decide(error: ModelError, attempts: number, spoke: boolean, refusedForMs: number): Decision {
    const { now, random, budget } = this.#context;
    const remainingMs = this.#input.deadlineAt - now();
    const decision = decide({ error, spoke, attempts, remainingMs, random: random() });
    if (decision.type !== "retry") return decision;
    return refusedForMs > decision.waitMs || !budget.take(now()) ? { type: "next" } : decision;
  }

  async #wait({ model }: ModelCandidate, error: ModelError, waitMs: number): Promise<void> {
    const { metrics, date, sleep } = this.#context;
    metrics.modelRetried(model, error.kind);
    this.#input.onNotice({
      kind: "retrying",
      message: `${excuse(error.kind, model)} It is asked again ${inSeconds(waitMs)}.`,
      retryAt: new Date(date() + waitMs).toISOString(),
    });
    await sleep(waitMs, this.#input.signal);
  }

  #fallBack({ model }: ModelCandidate, next: ModelCandidate): void {
    this.#context.metrics.modelFellBack(model);
    const kind = this.#errors.at(-1)?.kind ?? "transport";
    this.#input.onNotice({ kind: "fallback", message: `${excuse(kind, model)} ${next.model} is asked instead.` });
  }

  #refused({ model }: ModelCandidate, { kind, retryAfterMs }: Extract<Permit, { granted: false }>): void {
    const message = `${excuse(kind, model)} It failed several times; try again ${inSeconds(retryAfterMs)}.`;
    this.#errors.push(new ModelError(kind, message, { retryAfterMs }));
    this.#context.logger.debug({ model, kind, retryAfterMs }, "a model is left alone, as it failed too often");
  }

  /** Aborted while nothing was out. */
  async #unasked(candidate: ModelCandidate, permit?: Permit): Promise<ModelCallResult> {
    if (permit !== undefined) await this.#context.breakers.report(candidate, permit, { type: "abandoned" });
    return this.#done(candidate, { type: "aborted", usage: NOTHING_USED }, null);
  }

  #done(
    { model, provider }: ModelCandidate,
    end: Exclude<AttemptEnd, { type: "failed" }>,
    firstTokenMs: number | null,
  ): ModelCallResult {
    const answer: ModelAnswer = end.type === "answered" ? end.answer : { stop: "aborted", usage: end.usage };
    const costMicros = this.#context.cost(model, answer.usage);
    const usage = costMicros === undefined ? answer.usage : { ...answer.usage, costMicros };
    this.#context.metrics.modelUsed(model, usage);
    return { answer: { ...answer, usage }, model, provider: provider.name, firstTokenMs };
  }

  #log({ model }: ModelCandidate, error: ModelError, attempt: number, decision: Decision): void {
    const { kind, status, retryAfterMs } = error;
    this.#context.logger.warn(
      { err: error, model, kind, status, retryAfterMs, attempt, decision: decision.type },
      "a model call failed",
    );
  }
}

const outcome = (end: AttemptEnd) =>
  end.type === "answered" ? "ok" : end.type === "aborted" ? "aborted" : end.error.kind;

/** What an attempt says of its model, for the breaker. */
function verdict(end: AttemptEnd): Report {
  if (end.type === "aborted") return { type: "abandoned" };
  if (end.type === "answered" || !isOutage(end.error.kind)) return { type: "success" };
  return { type: "failure", kind: end.error.kind, retryAfterMs: end.error.retryAfterMs };
}

const inSeconds = (ms: number): string => (ms < 1000 ? "at once" : `in ${Math.ceil(ms / 1000)} s`);
