/**
 * Any server of OpenAI's chat completions: Ollama, vLLM, LM Studio, llama.cpp, Groq, Mistral, DeepSeek, xAI,
 * OpenRouter and others. How they differ: compatible-dialect.ts for what is sent, compatible-answer.ts for what is read.
 */
import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import { ModelError, type ModelProvider, type ModelRequest } from "../ports/model.ts";
import type { ModelInfo } from "../protocol/shapes.ts";
import { createCallIds } from "./call-ids.ts";
import { createChatReader } from "./compatible-answer.ts";
import { dialectOf } from "./compatible-dialect.ts";
import { chatMessages } from "./compatible-messages.ts";
import { createModelList } from "./compatible-models.ts";
import { createOpenAiCaller } from "./openai-call.ts";
import type { OpenAiFailure } from "./openai-failure.ts";
import { callIdsOf } from "./turns.ts";

export interface CompatibleOptions {
  /** First segment of the models' ids. */
  readonly name: "compatible";
  /** With the version: `http://127.0.0.1:11434/v1`. */
  readonly baseUrl: string;
  /** Servers on one's own machine often want none. */
  readonly apiKey?: string;
  /** Known before the server was asked for its models. */
  readonly models?: readonly ModelInfo[];
  /** How often it is asked, in milliseconds; 0: never. Default: 5 minutes. */
  readonly refreshMs?: number;
}

export interface CompatibleProvider extends ModelProvider {
  /** Resolves when the server was asked for its models, however that went: at most some seconds after the start. */
  readonly listed: Promise<void>;
}

/** As people call whatever server it is. */
const PROVIDER = "The model server";
/** The SDK would also tell a stranger about this machine, and send what OPENAI_CUSTOM_HEADERS says. */
const HEADERS = ["accept", "authorization", "content-type", "user-agent"];

export function createCompatible(options: CompatibleOptions): CompatibleProvider {
  const { name, baseUrl, apiKey, models: known, refreshMs } = options;
  const caller = createOpenAiCaller({ provider: PROVIDER, apiKey, baseUrl, headers: HEADERS });
  const models = createModelList({
    provider: name,
    baseUrl,
    apiKey,
    ...(known !== undefined && { known }),
    ...(refreshMs !== undefined && { refreshMs }),
  });
  const prefix = `${name}/`;
  const refusals = createRefusals();

  function bodyOf({ messages, tools }: ModelRequest, model: string): ChatCompletionCreateParamsStreaming {
    const dialect = dialectOf(baseUrl, model);
    const sendsReasoning = refusals.takes("reasoning");
    return {
      model,
      messages: chatMessages(messages, model, sendsReasoning ? dialect : { ...dialect, continuation: false }),
      stream: true,
      ...(dialect.asksUsage && refusals.takes("stream_options") && { stream_options: { include_usage: true } }),
      ...(tools.length > 0 && {
        tools: tools.map((tool) => ({
          type: "function",
          function: { name: tool.name, description: tool.description, parameters: tool.parameters },
        })),
      }),
    };
  }

  return {
    name,
    list: () => models.current(),
    listed: models.looked,
    passesThrough: true,
    prepare: () => caller.prepare(),
    stream(request, sink, signal) {
      const model = request.model.startsWith(prefix) ? request.model.slice(prefix.length) : request.model;
      return caller.call({
        path: "/chat/completions",
        body: () => bodyOf(request, model),
        reader: (open) => createChatReader(open, model, createCallIds(callIdsOf(request.messages)), PROVIDER),
        sink,
        signal,
        refused: (failure) => refusals.learn(failure),
      });
    },
    close() {
      models.close();
      caller.close();
    },
  };
}

/**
 * Fields beyond the oldest form of the interface, which some servers refuse. They are told by the refusal, and the
 * provider does without from then on.
 */
const REFUSABLE = {
  // Its answers then have no usage, where the server does not tell it unasked.
  stream_options: /stream_options|include_usage/,
  reasoning: /\b(?:reasoning(?:_content|_details)?|thinking|extra_content)\b/,
} as const;
type Refusable = keyof typeof REFUSABLE;

const IS_REFUSAL =
  /extra|unknown|unrecogni[sz]ed|unexpected|un-?supported|not (?:permitted|supported|allowed)|invalid/i;

function createRefusals() {
  const refused = new Set<Refusable>();
  return {
    takes: (field: Refusable) => !refused.has(field),
    /** The error of a request that was refused for such a field only. */
    learn({ status, words }: OpenAiFailure): ModelError | undefined {
      if ((status !== 400 && status !== 422) || !IS_REFUSAL.test(words)) return undefined;
      for (const [field, names] of Object.entries(REFUSABLE) as [Refusable, RegExp][]) {
        if (refused.has(field) || !names.test(words)) continue;
        refused.add(field);
        // The next request is another one, so it may be made: an error that passes.
        return new ModelError("transport", `${PROVIDER} refuses ${field}. It is asked without from now on.`, {
          status,
        });
      }
      return undefined;
    },
  };
}
