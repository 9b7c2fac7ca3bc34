/**
 * OpenAI's Responses API. Nothing is stored there: what a run needs to go on (the encrypted reasoning) comes back with
 * each answer and is sent again with the results of its tools. Wire format: the SDK's types, and
 * https://platform.openai.com/docs/api-reference/responses-streaming
 */
import { ModelError, type ModelProvider } from "../ports/model.ts";
import { createCallIds } from "./call-ids.ts";
import { createOpenAiCaller } from "./openai-call.ts";
import { createResponsesReader } from "./openai-events.ts";
import type { OpenAiFailure } from "./openai-failure.ts";
import { responsesBody } from "./openai-input.ts";
import { OPENAI_MODELS, reasons } from "./openai-models.ts";
import { callIdsOf } from "./turns.ts";

export interface OpenAiOptions {
  readonly apiKey: string;
  /** Default: OpenAI's own. */
  readonly baseUrl?: string;
}

const PREFIX = "openai/";

export function createOpenAI({ apiKey, baseUrl }: OpenAiOptions): ModelProvider {
  const caller = createOpenAiCaller({ provider: "OpenAI", apiKey, baseUrl });
  /** Accounts that are not verified get no summaries of reasoning: they are not asked for twice. */
  let summary = true;

  /**
   * A request that was refused only for asking for summaries. The next one is another request, so it may be made: an
   * error that passes.
   */
  function refused({ status, words }: OpenAiFailure): ModelError | undefined {
    if (status !== 400 || !summary || !/reasoning\.?\s?summar(y|ies)/i.test(words)) return undefined;
    summary = false;
    return new ModelError(
      "transport",
      "OpenAI gives this account no summaries of reasoning. They are not asked for from now on.",
      { status },
    );
  }

  return {
    name: "openai",
    list: () => OPENAI_MODELS,
    passesThrough: true,
    prepare: () => caller.prepare(),
    stream(request, sink, signal) {
      const model = request.model.startsWith(PREFIX) ? request.model.slice(PREFIX.length) : request.model;
      return caller.call({
        path: "/responses",
        body: () => responsesBody(request, model, { reasoning: reasons(model), summary }),
        reader: (open) => createResponsesReader(open, model, createCallIds(callIdsOf(request.messages))),
        sink,
        signal,
        refused,
      });
    },
    close: () => caller.close(),
  };
}
