/** Requests through OpenAI's SDK, to OpenAI or to a server that speaks like it: its lazy import, options and errors. */
import type OpenAI from "openai";
import type { ModelAnswer, ModelError } from "../ports/model.ts";
import { failureOfError, type OpenAiFailure } from "./openai-failure.ts";
import { providerError } from "./provider-error.ts";
import { createSdkCaller, type SdkCall } from "./sdk-call.ts";

export interface OpenAiCall extends Pick<SdkCall, "sink" | "reader" | "signal"> {
  /** Of the API: `/responses`. */
  readonly path: string;
  /** Called when the request is about to be sent; what it throws fails the call. */
  readonly body: () => object;
  /** A failure of the request, before a stream began, to say more of it. */
  readonly refused?: (failure: OpenAiFailure) => ModelError | undefined;
}

export interface OpenAiCaller {
  call(call: OpenAiCall): Promise<ModelAnswer>;
  prepare(): Promise<void>;
  /** Ends all calls as an abort does. */
  close(): void;
}

export interface OpenAiCallerOptions {
  /** As people write it. */
  readonly provider: string;
  /** Without one no key is sent. */
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  /** Lower case; others are not sent. Default: all. */
  readonly headers?: readonly string[];
}

/** The SDK wants a limit, and its timer can't take more than 24 days. */
const DAY_MS = 86_400_000;

export function createOpenAiCaller({ provider, apiKey, baseUrl, headers }: OpenAiCallerOptions): OpenAiCaller {
  const caller = createSdkCaller(provider, headers);
  let client: OpenAI | undefined;

  /** The options that are null would otherwise be read from the environment. */
  async function ready(): Promise<OpenAI> {
    if (client !== undefined) return client;
    const { OpenAI: Client } = await import("openai");
    client ??= new Client({
      apiKey: apiKey ?? "none",
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      baseURL: baseUrl ?? "https://api.openai.com/v1",
      maxRetries: 0,
      timeout: DAY_MS,
      logLevel: "off",
      fetch: caller.fetch,
      ...(apiKey === undefined && { defaultHeaders: { authorization: null } }),
    });
    return client;
  }

  function failureOf(error: unknown, refused: OpenAiCall["refused"]): ModelError {
    const failure = failureOfError(error);
    const words = apiKey === undefined ? failure.words : failure.words.replaceAll(apiKey, "…");
    return refused?.(failure) ?? providerError(provider, { ...failure, words });
  }

  return {
    prepare: async () => {
      await ready();
    },
    call: ({ path, body, refused, ...call }) =>
      caller.call({
        ...call,
        async send(signal) {
          const sdk = await ready();
          return sdk.post(path, { body: body(), stream: true, signal }).asResponse();
        },
        failure: (error) => failureOf(error, refused),
      }),
    close: () => caller.close(),
  };
}
