/**
 * One call of the model: what it says becomes parts of the answer until it ends or is interrupted. Retries, fallbacks
 * and silence are the business of `callModel` [R9].
 *
 * From an interrupt on nothing that it says counts, whether or not it obeys. A model that fell silent, threw, or could
 * not be found is an ending like any other.
 */
import type { Logger } from "../ports/logger.ts";
import {
  type ModelAnswer,
  ModelError,
  type ModelErrorKind,
  type ModelMessage,
  type ModelRequest,
} from "../ports/model.ts";
import type { ModelCandidate } from "../ports/services.ts";
import { type ErrorCode, ERRORS, ParleyError } from "../protocol/errors.ts";
import type { Run, Usage } from "../protocol/shapes.ts";
import type { AnswerSink } from "./answer-sink.ts";
import { callModel, type ModelCallContext, type ModelCallResult, type ModelNotice } from "./model-call.ts";
import { asTaken } from "./model-messages.ts";
import { DEADLINE_PASSED, TOO_LONG } from "./next-action.ts";
import type { Ending } from "./run-journal.ts";

/** Why a run ends, or leaves this process, before it is done. */
export type Interrupt =
  /** A person asked for it [R11]. */
  | "stop"
  /** The answer has all that an answer may have. */
  | "length"
  /** Too much waits for a log that is away. */
  | "overflow"
  | "deadline"
  /** Another process is to go on [R12]. */
  | "release"
  /** Another process has it already [R4]. */
  | "lost";

export interface CallEnd {
  readonly result:
    | { readonly type: "answered"; readonly answer: ModelAnswer }
    | { readonly type: "ended"; readonly end: Ending }
    /** Another process goes on, or has it. */
    | { readonly type: "left" };
  readonly usage: Usage;
  /** Of the model that answered, which may be another than was asked. */
  readonly model: string;
  readonly provider: string;
  readonly firstTokenMs: number | null;
  readonly durationMs: number;
}

export interface CallInput {
  readonly run: Run;
  readonly sink: AnswerSink;
  /** Throws MODEL_UNAVAILABLE when nobody serves the model any more. */
  readonly chain: () => readonly ModelCandidate[];
  readonly messages: Promise<readonly ModelMessage[]>;
  readonly tools: ModelRequest["tools"];
  readonly deadlineAt: number;
  readonly onNotice: (notice: ModelNotice) => void;
}

const NOTHING: Usage = { inputTokens: 0, outputTokens: 0 };
export class ModelCall {
  /** Never rejects. */
  readonly ended: Promise<CallEnd>;
  readonly #context: ModelCallContext;
  readonly #logger: Logger;
  readonly #input: CallInput;
  readonly #abort = new AbortController();
  readonly #startedAt: number;
  #interrupt: Interrupt | undefined;
  #open = true;
  #silent = true;

  constructor(context: ModelCallContext, logger: Logger, input: CallInput) {
    this.#context = context;
    this.#logger = logger;
    this.#input = input;
    this.#startedAt = context.now();
    this.ended = this.#stream();
  }

  interrupt(reason: Interrupt): void {
    this.#interrupt ??= reason;
    this.#open = false;
    this.#abort.abort();
  }

  text(delta: string): void {
    if (!this.#open) return;
    this.#context.metrics.tokens(1);
    if (this.#silent) this.#spoke();
    this.#input.sink.text(delta);
  }

  reasoning(delta: string): void {
    if (!this.#open) return;
    this.#context.metrics.tokens(1);
    if (this.#silent) this.#spoke();
    this.#input.sink.reasoning(delta);
  }

  toolCall(id: string, name: string): void {
    if (!this.#open) return;
    if (this.#silent) this.#spoke();
    this.#input.sink.toolCall(id, name);
  }

  toolArgs(id: string, delta: string): void {
    if (this.#open) this.#input.sink.toolArgs(id, delta);
  }

  #spoke(): void {
    this.#silent = false;
    const { attempt, createdAt } = this.#input.run;
    if (attempt === 1) this.#context.metrics.firstToken(Math.max(0, Date.now() - Date.parse(createdAt)));
  }

  async #stream(): Promise<CallEnd> {
    const { run, messages, tools, deadlineAt, onNotice } = this.#input;
    const { signal } = this.#abort;
    // What a provider gave to go on with bears its model; another takes no notice of it.
    const requestFor = async ({ model, provider }: ModelCandidate): Promise<ModelRequest> => {
      const images = provider.list().find(({ id }) => id === model)?.images;
      const read = await unlessAborted(messages, signal);
      return { model, messages: asTaken(read ?? [], images), tools, cacheKey: run.conversationId };
    };
    let given: ModelCallResult | undefined;
    let result: CallEnd["result"];
    try {
      const chain = this.#input.chain();
      given = await callModel(this.#context, { chain, requestFor, sink: this, signal, deadlineAt, onNotice });
      result = this.#resultOf(given.answer);
    } catch (error) {
      result = this.#interrupt === undefined ? { type: "ended", end: this.#failure(error) } : this.#broken();
    }
    this.#open = false;
    return {
      result,
      usage: given?.answer.usage ?? NOTHING,
      model: given?.model ?? run.model,
      provider: given?.provider ?? run.model,
      firstTokenMs: given?.firstTokenMs === null || given === undefined ? null : Math.round(given.firstTokenMs),
      durationMs: Math.round(this.#context.now() - this.#startedAt),
    };
  }

  #resultOf(answer: ModelAnswer): CallEnd["result"] {
    if (this.#interrupt !== undefined) return this.#broken();
    switch (answer.stop) {
      case "aborted":
        return this.#broken();
      case "refusal":
        return { type: "ended", end: failed("CONTENT_REFUSED") };
      case "end":
      case "length":
      case "tool-calls":
        return { type: "answered", answer };
    }
  }

  #broken(): CallEnd["result"] {
    const end = this.#interrupt === undefined ? failed("MODEL_FAILED", BROKE_OFF) : endOf(this.#interrupt);
    return end === undefined ? { type: "left" } : { type: "ended", end };
  }

  #failure(error: unknown): Ending {
    if (error instanceof ModelError) return failed(codeOf[error.kind], error.message);
    this.#logger.warn({ err: error }, "a model call failed");
    return error instanceof ParleyError ? failed(error.code, error.message) : failed("MODEL_FAILED");
  }
}

/** Undefined when the signal aborts first: the files of a message may take their time. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>();
  const abort = (): void => resolve(undefined);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

const BROKE_OFF = "The model broke off its answer.";

/** How an interrupted run ends; undefined when it does not end here. */
function endOf(interrupt: Interrupt): Ending | undefined {
  switch (interrupt) {
    case "stop":
      return { status: "stopped" };
    case "length":
      return failed("RUN_LIMIT", TOO_LONG);
    case "overflow":
      return failed("UNAVAILABLE");
    case "deadline":
      return failed("RUN_LIMIT", DEADLINE_PASSED);
    case "release":
    case "lost":
      return undefined;
  }
}

const failed = (code: ErrorCode, message: string = ERRORS[code].message): Ending => ({
  status: "failed",
  code,
  message,
});

const codeOf: Readonly<Record<ModelErrorKind, ErrorCode>> = {
  throttle: "MODEL_BUSY",
  overload: "MODEL_BUSY",
  transport: "MODEL_FAILED",
  stall: "MODEL_FAILED",
  request: "MODEL_FAILED",
  auth: "MODEL_REFUSED_KEY",
  billing: "MODEL_REFUSED_KEY",
  context: "CONTEXT_TOO_LONG",
  content: "CONTENT_REFUSED",
};
