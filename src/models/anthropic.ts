/**
 * Anthropic's models, through the Messages API.
 *
 * `Usage.inputTokens` is all of the input: what was read from the cache and what was written to it count too, though the
 * one costs a tenth and the other a quarter more. `cachedInputTokens` is what was read.
 */
import type Anthropic from "@anthropic-ai/sdk";
import type { ModelError, ModelProvider } from "../ports/model.ts";
import { anthropicError, anthropicTransportError } from "./anthropic-errors.ts";
import { createAnthropicReader } from "./anthropic-events.ts";
import { anthropicModels, PROVIDER } from "./anthropic-models.ts";
import { anthropicBody } from "./anthropic-request.ts";
import { createCallIds } from "./call-ids.ts";
import { createSdkCaller } from "./sdk-call.ts";
import { callIdsOf } from "./turns.ts";

export interface AnthropicOptions {
  readonly apiKey: string;
  /** Default: Anthropic's own. */
  readonly baseUrl?: string;
}

type Sdk = typeof import("@anthropic-ai/sdk");

/** The longest that a timer of Node takes: only the caller's signal ends a request. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

export function createAnthropic({ apiKey, baseUrl }: AnthropicOptions): ModelProvider {
  const caller = createSdkCaller("Anthropic");
  let loaded: { sdk: Sdk; client: Anthropic } | undefined;

  /** A server that never asks Anthropic does not pay for its SDK. */
  async function load(): Promise<{ sdk: Sdk; client: Anthropic }> {
    if (loaded !== undefined) return loaded;
    const sdk = await import("@anthropic-ai/sdk");
    const client = new sdk.default({
      apiKey,
      baseURL: baseUrl ?? "https://api.anthropic.com",
      maxRetries: 0,
      timeout: NO_TIMEOUT_MS,
      // It would print what models and people wrote.
      logLevel: "off",
      openTelemetry: false,
      fetch: caller.fetch,
    });
    return (loaded ??= { sdk, client });
  }

  function failure(error: unknown): ModelError {
    const isApi = loaded !== undefined && error instanceof loaded.sdk.APIError;
    return isApi && error.status !== undefined ? anthropicError(error) : anthropicTransportError(error);
  }

  return {
    name: PROVIDER,
    list: () => anthropicModels,
    passesThrough: true,
    async prepare() {
      await load();
    },
    stream(request, sink, signal) {
      const model = request.model.slice(PROVIDER.length + 1);
      return caller.call({
        sink,
        signal,
        reader: (open) => createAnthropicReader(model, open, createCallIds(callIdsOf(request.messages))),
        async send(sending) {
          const { client } = await load();
          return client.messages.create(anthropicBody(model, request), { signal: sending }).asResponse();
        },
        failure,
      });
    },
    close: () => caller.close(),
  };
}
