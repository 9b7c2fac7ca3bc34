/**
 * The circuit breakers of all models, around their store. A store that does not answer lets every call through: what
 * protects the providers must not stop the runs.
 */
import type { BreakerState, BreakerStore } from "../ports/breaker.ts";
import type { Logger } from "../ports/logger.ts";
import type { ModelErrorKind } from "../ports/model.ts";
import type { ModelCandidate } from "../ports/services.ts";
import {
  CLOSED,
  type BreakerEvent,
  type BreakerLimits,
  granted,
  keepFor,
  refusedFor,
  type Ticket,
  transition,
} from "./circuit-breaker.ts";
import { withTimeLimit } from "./log-batcher-retry.ts";

export type Permit =
  | {
      readonly granted: true;
      /** undefined: nothing is known, and nothing will be reported. */
      readonly ticket: Ticket | undefined;
      /** Nothing had failed when it was given, so a success is no news. */
      readonly clean: boolean;
    }
  /** `kind` is what it failed of; it may be asked again after so long. */
  | { readonly granted: false; readonly kind: ModelErrorKind; readonly retryAfterMs: number };

export type Report =
  | { readonly type: "success" | "abandoned" }
  | { readonly type: "failure"; readonly kind: ModelErrorKind; readonly retryAfterMs: number | undefined };

export interface ModelBreakersOptions {
  readonly store: BreakerStore;
  readonly logger: Logger;
  /** A stalled call is found after so long; a probe that takes longer is lost. */
  readonly firstTokenMs: number;
  readonly limits?: Partial<BreakerLimits>;
  /** Of one call to the store, in milliseconds. */
  readonly storeMs?: number;
}

const DEFAULT_LIMITS = { failures: 10, windowMs: 60_000, coolDownMs: 5_000, maxCoolDownMs: 120_000 };
/** A stalled probe is reported about a second after it was found. */
const PROBE_MARGIN_MS = 10_000;
/** Writers that were overtaken read and decide anew so often. */
const CONFLICTS = 5;
/** Models whose state is remembered for the metrics. */
const SHOWN = 200;

export class ModelBreakers {
  readonly #store: BreakerStore;
  readonly #logger: Logger;
  readonly #limits: BreakerLimits;
  readonly #storeMs: number;
  readonly #shown = new Map<string, BreakerState["state"]>();
  #away = false;

  constructor({ store, logger, firstTokenMs, limits, storeMs = 500 }: ModelBreakersOptions) {
    this.#store = store;
    this.#logger = logger;
    this.#limits = { ...DEFAULT_LIMITS, probeMs: firstTokenMs + PROBE_MARGIN_MS, ...limits };
    this.#storeMs = storeMs;
  }

  /** May this model be called now? Whoever is granted a call reports how it went. Never rejects. */
  async ask(candidate: ModelCandidate): Promise<Permit> {
    try {
      const { before, after, now, written } = await this.#change(candidate, (at) => ({ type: "ask", now: at }));
      const ticket = written ? granted(before, after, now) : undefined;
      if (ticket !== undefined) {
        return { granted: true, ticket, clean: after.state === "closed" && after.failures.length === 0 };
      }
      const kind = after.state === "closed" ? "overload" : after.kind;
      return { granted: false, kind, retryAfterMs: refusedFor(after, now) };
    } catch (error) {
      this.#unreachable(error);
      return { granted: true, ticket: undefined, clean: true };
    }
  }

  /**
   * Answers for how many milliseconds the model will be left alone now, as far as that is known. Never rejects: a
   * report that is lost costs one more failure, or a probe's time.
   */
  async report(candidate: ModelCandidate, permit: Permit, report: Report): Promise<number> {
    if (!permit.granted || permit.ticket === undefined) return 0;
    const { ticket, clean } = permit;
    if (clean && report.type !== "failure") return 0;
    try {
      const { before, after, now } = await this.#change(candidate, (at) => ({ ...report, now: at, ticket }));
      if (before.state !== after.state) this.#announce(candidate, before, after);
      return refusedFor(after, now);
    } catch (error) {
      this.#unreachable(error);
      return 0;
    }
  }

  /** As this process last saw them. */
  *states(): Iterable<readonly [model: string, state: BreakerState["state"]]> {
    yield* this.#shown;
  }

  /** Reads, decides and writes until nobody else wrote between. `written` is false when somebody always did. */
  async #change(
    { provider, model, keyId }: ModelCandidate,
    event: (now: number) => BreakerEvent,
  ): Promise<{ before: BreakerState; after: BreakerState; now: number; written: boolean }> {
    // Neither a provider's name nor a key's id holds a space.
    const key = `${provider.name} ${keyId} ${model}`;
    for (let tries = 1; ; tries++) {
      const { breaker, version, now } = await withTimeLimit(this.#storeMs, this.#store.read(key));
      const before = breaker ?? CLOSED;
      const after = transition(before, event(now), this.#limits);
      const write = () => this.#store.write(key, version, after, keepFor(this.#limits));
      const written = after === before || (await withTimeLimit(this.#storeMs, write()));
      if (!written && tries < CONFLICTS) continue;
      this.#away = false;
      this.#show(model, written ? after.state : before.state);
      return { before, after, now, written };
    }
  }

  #show(model: string, state: BreakerState["state"]): void {
    if (this.#shown.size >= SHOWN && !this.#shown.has(model)) {
      const [oldest] = this.#shown.keys();
      if (oldest !== undefined) this.#shown.delete(oldest);
    }
    this.#shown.set(model, state);
  }

  #announce({ model }: ModelCandidate, before: BreakerState, after: BreakerState): void {
    if (after.state === "open") {
      const { kind, trips, until } = after;
      this.#logger.warn({ model, kind, trips, until }, "a model fails; it is left alone for a while");
    } else if (before.state !== "closed" && after.state === "closed") {
      this.#logger.info({ model }, "a model that had failed answers again");
    }
  }

  #unreachable(error: unknown): void {
    if (!this.#away) this.#logger.warn({ err: error }, "circuit breakers can't be reached; models are called without");
    this.#away = true;
  }
}
