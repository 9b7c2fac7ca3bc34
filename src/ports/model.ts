/**
 * A model provider turns a transcript into streamed text, reasoning and tool calls.
 *
 * - Deltas are pushed, synchronously, in order, from the provider's own turn: no promise, timer or closure per token.
 * - A delta is not empty. Half a surrogate pair is put together by the sink.
 * - `stream` resolves once, after its last delta. On abort it stops calling the sink at once and resolves with
 *   `stop: "aborted"`; a provider whose SDK ends silently on abort checks the signal.
 * - A stream that ends without the provider's own end mark was cut: it rejects (`transport`), it does not resolve.
 * - A failure is a rejected promise with a `ModelError`. A provider never retries: one owner does [R9].
 */
import type { ModelInfo, ToolArgs, Usage } from "../protocol/shapes.ts";

export type ModelContent =
  | { readonly type: "text"; readonly text: string }
  /** Whole, from the file store. */
  | { readonly type: "image" | "file"; readonly mediaType: string; readonly name: string; readonly data: Uint8Array };

export interface ModelToolCall {
  readonly type: "tool-call";
  readonly toolCallId: string;
  readonly name: string;
  readonly args: ToolArgs;
}

export type ModelMessage =
  | { readonly role: "system"; readonly text: string }
  | { readonly role: "user"; readonly content: readonly ModelContent[] }
  | {
      readonly role: "assistant";
      readonly content: readonly (
        | { readonly type: "text"; readonly text: string }
        | { readonly type: "reasoning"; readonly text: string }
        | ModelToolCall
      )[];
      /** What `ModelAnswer.continuation` was when this provider gave that answer; absent from another run. */
      readonly continuation?: unknown;
    }
  /** Results of the calls of the assistant message before, one each, in their order. */
  | { readonly role: "tool"; readonly results: readonly ModelToolResult[] };

export interface ModelToolResult {
  readonly toolCallId: string;
  readonly name: string;
  /** JSON or a sentence. */
  readonly content: string;
  readonly isError: boolean;
  /** A person stopped the answer that it was for; nobody waits for it any more. */
  readonly stopped?: true;
}

export interface ModelTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface ModelRequest {
  /** The model's id as `model.list` gives it. */
  readonly model: string;
  readonly messages: readonly ModelMessage[];
  /** None: a plain answer. */
  readonly tools: readonly ModelTool[];
  /** Same for every request of a conversation, for the provider's cache; no secret, no name of a person. */
  readonly cacheKey: string;
}

/**
 * Where an answer goes. Text after text continues the same part; text after anything else begins a new one; so does
 * reasoning. Calls may stream at the same time, each under its id.
 */
export interface ModelSink {
  text(delta: string): void;
  reasoning(delta: string): void;
  /** A call begins. `toolCallId` is the provider's; where it gives none, or the same twice, the adapter makes one. */
  toolCall(toolCallId: string, name: string): void;
  /** Its arguments, as JSON text. */
  toolArgs(toolCallId: string, delta: string): void;
  /** Something came that is no part of the answer, a ping for one: the model may think in silence. As often as it comes. */
  alive?(): void;
}

export interface ModelAnswer {
  readonly stop:
    | "end"
    /** The model's own limit of output: what came is kept. */
    | "length"
    /** It waits for the results of its calls. */
    | "tool-calls"
    /** It, or its provider, declined: what came is kept, and the run fails with CONTENT_REFUSED. */
    | "refusal"
    | "aborted";
  readonly usage: Usage;
  /**
   * What the provider wants back, unread, with this answer in the next request of the same run (signed or encrypted
   * reasoning): JSON of at most 256 KiB.
   */
  readonly continuation?: unknown;
}

export interface ModelProvider {
  /** First segment of its models' ids; `demo` for the demo model. */
  readonly name: string;
  list(): readonly ModelInfo[];
  /** Does it serve an id that `list` does not name (`provider/anything`)? */
  readonly passesThrough: boolean;
  /** Nobody configured it, it was found: its models can be chosen, but are never the default. */
  readonly found?: boolean;
  /** Loads what its first request would have to load. */
  prepare?(): Promise<void>;
  stream(request: ModelRequest, sink: ModelSink, signal: AbortSignal): Promise<ModelAnswer>;
  close(): void;
}

/** [R9] What failed decides what is done about it. */
export type ModelErrorKind =
  /** 429: too many requests or tokens. */
  | "throttle"
  /** 500, 502, 503, 504, 529. */
  | "overload"
  /** No connection, cut in mid-stream, nothing understandable. */
  | "transport"
  /** It says nothing for too long. */
  | "stall"
  /** 401, 403: the key. */
  | "auth"
  /** 402, or 429 with no credit left. */
  | "billing"
  /** The transcript is longer than the model reads. */
  | "context"
  /** The provider's filter. */
  | "content"
  /** 400, 404, 413, 422: asked wrongly; asking again is no use. */
  | "request";

export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly kind: ModelErrorKind;
  /** HTTP status, where there was one. */
  readonly status: number | undefined;
  /** The provider's own word for when to come back. */
  readonly retryAfterMs: number | undefined;

  /** `message` may be shown to a person: no key, no address with a key. */
  constructor(
    kind: ModelErrorKind,
    message: string,
    detail: { readonly status?: number; readonly retryAfterMs?: number; readonly cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.kind = kind;
    this.status = detail.status;
    this.retryAfterMs = detail.retryAfterMs;
  }
}
