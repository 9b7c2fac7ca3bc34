/**
 * One call of the model: what it says goes to the run's writer until it ends or is interrupted.
 *
 * From an interrupt on nothing that it says counts, whether or not it obeys. A model that fell silent, threw, or could
 * not be found is an ending like any other.
 */
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { ModelAnswer, ModelMessage, ModelSink } from "../ports/model.ts";
import type { ModelCatalog } from "../ports/services.ts";
import type { JournalWrite } from "../ports/store.ts";
import { ERRORS, ParleyError, type ErrorCode } from "../protocol/errors.ts";
import type { Message, Run, Usage } from "../protocol/shapes.ts";
import { DEADLINE_PASSED, TOO_LONG } from "./next-action.ts";
import type { RunWriter } from "./run-writer.ts";

/** Why a call ends before its answer does. */
export type Interrupt =
  /** A person asked for it [R11]. */
  | "stop"
  /** The part has all that a part may have. */
  | "length"
  /** The model fell silent [R9]. */
  | "stalled"
  | "deadline"
  /** Another process is to go on [R12]. */
  | "release"
  /** Another process has it already [R4]. */
  | "lost";

export type RunEnding = NonNullable<JournalWrite["end"]>;

export interface CallEnd {
  /** undefined: the run does not end here. */
  readonly end: RunEnding | undefined;
  readonly usage: Usage;
}

export interface CallInput {
  readonly run: Run;
  readonly messageId: string;
  readonly partIndex: number;
  readonly transcript: readonly Message[];
}

export interface CallContext {
  readonly models: ModelCatalog;
  readonly metrics: Metrics;
  readonly now: () => number;
}

const NOTHING: Usage = { inputTokens: 0, outputTokens: 0 };
/** A provider has this long to come back from an abort and to say what it used. */
const ABORT_MS = 1_000;

export class ModelCall implements ModelSink {
  /** Never rejects. */
  readonly ended: Promise<CallEnd>;
  /** Since when it has been silent, as far as `silentMs` has looked; at first when it was asked. */
  #heardAt: number;
  #heard = false;
  readonly #context: CallContext;
  readonly #logger: Logger;
  readonly #writer: RunWriter;
  readonly #input: CallInput;
  readonly #abort = new AbortController();
  #interrupt: Interrupt | undefined;
  #open = true;
  #silent = true;

  constructor(context: CallContext, logger: Logger, writer: RunWriter, input: CallInput) {
    this.#context = context;
    this.#logger = logger;
    this.#writer = writer;
    this.#input = input;
    this.#heardAt = context.now();
    this.ended = this.#stream();
  }

  interrupt(reason: Interrupt): void {
    this.#interrupt = reason;
    this.#open = false;
    this.#abort.abort();
  }

  /** How long it has said nothing, to the interval of these calls: no clock is read once per token. */
  silentMs(now: number): number {
    if (this.#heard) this.#heardAt = now;
    this.#heard = false;
    return now - this.#heardAt;
  }

  /** Once per token. */
  text(delta: string): void {
    if (!this.#open) return;
    this.#heard = true;
    this.#context.metrics.tokens(1);
    if (this.#silent) this.#spoke();
    const { messageId, partIndex } = this.#input;
    if (this.#writer.text(messageId, partIndex, delta) === "length") this.interrupt("length");
  }

  #spoke(): void {
    this.#silent = false;
    const { run } = this.#input;
    if (run.attempt === 1) this.#context.metrics.firstToken(Math.max(0, Date.now() - Date.parse(run.createdAt)));
  }

  async #stream(): Promise<CallEnd> {
    const { run, transcript } = this.#input;
    const { signal } = this.#abort;
    try {
      const provider = this.#context.models.provider(run.model);
      const answer = provider.stream({ model: run.model, messages: toModel(transcript) }, this, signal);
      const { stop, usage } = await Promise.race([answer, afterAbort(signal)]);
      return { end: stop === "aborted" ? this.#broken() : { status: "completed" }, usage };
    } catch (error) {
      return { end: this.#interrupt === undefined ? this.#failure(error) : this.#broken(), usage: NOTHING };
    } finally {
      this.#open = false;
    }
  }

  #broken(): RunEnding | undefined {
    switch (this.#interrupt) {
      case "stop":
        return { status: "stopped" };
      case "length":
        return failed("RUN_LIMIT", TOO_LONG);
      case "stalled":
        return failed("MODEL_FAILED", "The model fell silent and was given up.");
      case "deadline":
        return failed("RUN_LIMIT", DEADLINE_PASSED);
      case "release":
      case "lost":
        return undefined;
      case undefined:
        return failed("MODEL_FAILED", "The model broke off its answer.");
    }
  }

  #failure(error: unknown): RunEnding {
    this.#logger.warn({ err: error }, "a model call failed");
    return error instanceof ParleyError
      ? failed(error.code, error.message)
      : failed("MODEL_FAILED", ERRORS.MODEL_FAILED.message);
  }
}

const failed = (code: ErrorCode, message: string): RunEnding => ({ status: "failed", code, message });

/** What the model reads: what was said, without messages that say nothing. */
const toModel = (transcript: readonly Message[]): readonly ModelMessage[] =>
  transcript
    .map(({ role, parts }) => ({ role, text: parts.map((part) => part.text).join("") }))
    .filter(({ text }) => text !== "");

/** Answers for a provider that does not come back from an abort. */
function afterAbort(signal: AbortSignal): Promise<ModelAnswer> {
  const { promise, resolve } = Promise.withResolvers<ModelAnswer>();
  const abandon = () => {
    setTimeout(resolve, ABORT_MS, { stop: "aborted", usage: NOTHING }).unref();
  };
  if (signal.aborted) abandon();
  else signal.addEventListener("abort", abandon, { once: true });
  return promise;
}
