/**
 * A model provider turns a transcript into streamed text.
 *
 * - Deltas are pushed, synchronously, in order, from the provider's own turn: no promise, timer or closure per token.
 * - A delta is well-formed UTF-16 (never half a surrogate pair) and not empty.
 * - `stream` resolves once, after its last delta. On abort it stops calling the sink at once and resolves with
 *   `stop: "aborted"`; a provider whose SDK ends silently on abort checks the signal.
 * - A failure is a rejected promise with a `ParleyError` (MODEL_FAILED …).
 */
import type { ModelInfo, Usage } from "../protocol/shapes.ts";

export interface ModelMessage {
  readonly role: "user" | "assistant" | "system";
  readonly text: string;
}

export interface ModelRequest {
  /** The model's id as `model.list` gives it. */
  readonly model: string;
  readonly messages: readonly ModelMessage[];
}

export interface ModelSink {
  text(delta: string): void;
}

export interface ModelAnswer {
  readonly stop: "end" | "length" | "aborted";
  readonly usage: Usage;
}

export interface ModelProvider {
  /** First segment of its models' ids; `demo` for the demo model. */
  readonly name: string;
  list(): readonly ModelInfo[];
  stream(request: ModelRequest, sink: ModelSink, signal: AbortSignal): Promise<ModelAnswer>;
  close(): void;
}
