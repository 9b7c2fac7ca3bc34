/**
 * One request to one provider: how it ended, and whether it spoke before that. From an interrupt on nothing that it
 * says counts, whether or not it obeys; it has a moment to come back from the abort and to say what it used.
 */
import { ModelError, type ModelAnswer, type ModelRequest, type ModelSink } from "../ports/model.ts";
import type { ModelCandidate } from "../ports/services.ts";
import type { Usage } from "../protocol/shapes.ts";
import { excuse } from "./model-call-policy.ts";
import type { StallWatch, Watched } from "./stall-watch.ts";

export type AttemptEnd =
  | { readonly type: "answered"; readonly answer: ModelAnswer }
  /** By the caller's signal. */
  | { readonly type: "aborted"; readonly usage: Usage }
  | { readonly type: "failed"; readonly error: ModelError };

export interface AttemptContext {
  readonly watch: StallWatch;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** The first thing that it says, after so long. Called once, before the sink hears of it. */
  readonly onSpoke: (ms: number) => void;
  /** It failed with something else than a `ModelError`. */
  readonly onBug: (error: unknown) => void;
}

export const NOTHING_USED: Usage = { inputTokens: 0, outputTokens: 0 };
/** A provider has this long to come back from an abort. */
const ABORT_MS = 1_000;

export class Attempt implements ModelSink, Watched {
  heard = false;
  spoke = false;
  seen = false;
  readonly #candidate: ModelCandidate;
  readonly #context: AttemptContext;
  readonly #sink: ModelSink;
  readonly #abort = new AbortController();
  readonly #startedAt: number;
  #open = true;
  #stalled = false;
  #over = false;
  /** Of an attempt that was interrupted: ends the wait for it. An abort is no cheap thing to have for every answer. */
  #wait: AbortController | undefined;

  constructor(candidate: ModelCandidate, sink: ModelSink, context: AttemptContext) {
    this.#candidate = candidate;
    this.#sink = sink;
    this.#context = context;
    this.#startedAt = context.now();
  }

  /** Never rejects. Called once. */
  async run(request: ModelRequest, signal: AbortSignal): Promise<AttemptEnd> {
    const { watch } = this.#context;
    const interrupt = () => this.#interrupt();
    if (signal.aborted) return { type: "aborted", usage: NOTHING_USED };
    signal.addEventListener("abort", interrupt, { once: true });
    watch.add(this);
    try {
      const answer = await Promise.race([this.#stream(request), this.#abandoned()]);
      return this.#ended(answer, signal);
    } catch (error) {
      return this.#failed(error, signal);
    } finally {
      this.#open = false;
      this.#over = true;
      this.#wait?.abort();
      watch.remove(this);
      signal.removeEventListener("abort", interrupt);
    }
  }

  text(delta: string): void {
    if (this.#hear()) this.#sink.text(delta);
  }

  reasoning(delta: string): void {
    if (this.#hear()) this.#sink.reasoning(delta);
  }

  toolCall(toolCallId: string, name: string): void {
    if (this.#hear()) this.#sink.toolCall(toolCallId, name);
  }

  toolArgs(toolCallId: string, delta: string): void {
    if (this.#hear()) this.#sink.toolArgs(toolCallId, delta);
  }

  alive(): void {
    this.seen = true;
  }

  stalled(): void {
    if (!this.#open) return;
    this.#stalled = true;
    this.#interrupt();
  }

  /** Once per token. False: it does not count any more. */
  #hear(): boolean {
    if (!this.#open) return false;
    this.heard = true;
    if (this.spoke) return true;
    this.spoke = true;
    this.#context.onSpoke(this.#context.now() - this.#startedAt);
    return true;
  }

  #interrupt(): void {
    this.#open = false;
    this.#abort.abort();
  }

  // What a provider throws at once is a rejection too.
  async #stream(request: ModelRequest): Promise<ModelAnswer> {
    return this.#candidate.provider.stream(request, this, this.#abort.signal);
  }

  /** Answers for a provider that does not come back from an abort. */
  async #abandoned(): Promise<ModelAnswer> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#abort.signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    if (!this.#over) {
      this.#wait = new AbortController();
      await this.#context.sleep(ABORT_MS, this.#wait.signal);
    }
    return { stop: "aborted", usage: NOTHING_USED };
  }

  #ended(answer: ModelAnswer, signal: AbortSignal): AttemptEnd {
    if (answer.stop !== "aborted") return { type: "answered", answer };
    if (this.#stalled) return { type: "failed", error: this.#stall() };
    if (signal.aborted) return { type: "aborted", usage: answer.usage };
    return { type: "failed", error: new ModelError("transport", `${this.#candidate.model} broke off its answer.`) };
  }

  #failed(error: unknown, signal: AbortSignal): AttemptEnd {
    if (this.#stalled) return { type: "failed", error: this.#stall() };
    if (signal.aborted) return { type: "aborted", usage: NOTHING_USED };
    if (error instanceof ModelError) return { type: "failed", error };
    this.#context.onBug(error);
    return { type: "failed", error: new ModelError("transport", `${this.#candidate.model} failed.`, { cause: error }) };
  }

  #stall(): ModelError {
    const { model } = this.#candidate;
    return new ModelError("stall", this.spoke ? `${model} fell silent and was given up.` : excuse("stall", model));
  }
}
