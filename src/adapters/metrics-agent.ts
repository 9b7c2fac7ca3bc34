/** Counts of models, tools and approvals. A label takes a bounded number of values: the first names that come. */
import type { ApprovalOutcome, ModelOutcome, ToolOutcome } from "../ports/metrics.ts";
import type { ModelErrorKind } from "../ports/model.ts";
import type { Usage } from "../protocol/shapes.ts";
import { ArrayHistogram } from "./metrics-histogram.ts";

/** Milliseconds. */
const SPOKE_MS = [50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 120_000];
const TOOL_MS = [1, 5, 10, 50, 100, 500, 1000, 5000, 10_000, 30_000, 60_000, 300_000];

/** Names of its own; every later one is "other". Ids of models that are passed through come from requests. */
const NAMES = 50;
const OTHER = "other";

class ModelCounts {
  readonly outcomes = new Map<ModelOutcome, number>();
  readonly retries = new Map<ModelErrorKind, number>();
  readonly spoke = new ArrayHistogram(SPOKE_MS);
  fallbacks = 0;
  inputTokens = 0;
  /** Of the input. */
  cachedInputTokens = 0;
  outputTokens = 0;
  /** Of the output. */
  reasoningTokens = 0;
  costMicros = 0;

  used(usage: Usage): void {
    this.inputTokens += usage.inputTokens;
    this.cachedInputTokens += usage.cachedInputTokens ?? 0;
    this.outputTokens += usage.outputTokens;
    this.reasoningTokens += usage.reasoningTokens ?? 0;
    this.costMicros += usage.costMicros ?? 0;
  }
}

class ToolCounts {
  readonly outcomes = new Map<ToolOutcome, number>();
  readonly duration = new ArrayHistogram(TOOL_MS);
}

/** One of `T` for each name, up to a bound. */
class Named<T> {
  readonly #make: () => T;
  readonly #items = new Map<string, T>();

  constructor(make: () => T) {
    this.#make = make;
  }

  of(name: string): T {
    const known = this.#items.get(name);
    if (known !== undefined) return known;
    if (this.#items.size >= NAMES && name !== OTHER) return this.of(OTHER);
    const made = this.#make();
    this.#items.set(name, made);
    return made;
  }

  /** The label that a name has. */
  label(name: string): string {
    return this.#items.has(name) || this.#items.size < NAMES ? name : OTHER;
  }

  [Symbol.iterator](): IterableIterator<[string, T]> {
    return this.#items.entries();
  }
}

export class AgentCounts {
  readonly models = new Named(() => new ModelCounts());
  readonly tools = new Named(() => new ToolCounts());
  readonly approvals: Record<ApprovalOutcome, number> = { approved: 0, denied: 0, expired: 0, cancelled: 0 };

  toolFinished(tool: string, outcome: ToolOutcome, ms: number): void {
    const counts = this.tools.of(tool);
    bump(counts.outcomes, outcome);
    counts.duration.add(ms);
  }
}

export function bump<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
