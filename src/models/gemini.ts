/** Google's models, through `streamGenerateContent` of the Gemini API. */
import type { GoogleGenAI } from "@google/genai";
import type { ModelError, ModelProvider, ModelRequest } from "../ports/model.ts";
import { createCallIds } from "./call-ids.ts";
import { geminiHttpError, geminiTransportError } from "./gemini-errors.ts";
import { createGeminiReader } from "./gemini-events.ts";
import { geminiModels, PROVIDER } from "./gemini-models.ts";
import { geminiBody } from "./gemini-request.ts";
import { providerError } from "./provider-error.ts";
import { createSdkCaller } from "./sdk-call.ts";
import { callIdsOf } from "./turns.ts";

export interface GeminiOptions {
  readonly apiKey: string;
  /** Default: Google's own. */
  readonly baseUrl?: string;
}

type Sdk = typeof import("@google/genai");

/** A model's id is part of the address. */
const MODEL = /^(?:(?:models|tunedModels)\/)?[\w-]+(?:\.[\w-]+)*$/;

export function createGemini({ apiKey, baseUrl }: GeminiOptions): ModelProvider {
  const caller = createSdkCaller("Gemini");
  let loaded: { sdk: Sdk; client: GoogleGenAI } | undefined;

  /** A server that never asks Gemini does not pay for its SDK. */
  async function load(): Promise<{ sdk: Sdk; client: GoogleGenAI }> {
    if (loaded !== undefined) return loaded;
    const sdk = await import("@google/genai");
    const client = new sdk.GoogleGenAI({
      apiKey,
      // The environment can't make another service of it.
      vertexai: false,
      httpOptions: { baseUrl: baseUrl ?? "https://generativelanguage.googleapis.com" },
    });
    return (loaded ??= { sdk, client });
  }

  /**
   * The SDK gives the stream as events that it reads when they are asked for, and asks for more of a long answer, or
   * again after a connection that broke, by itself. They are not asked for: the answer that its `fetch` got is read
   * instead. `head` hears of it, for its headers are in no error of the SDK's.
   */
  async function send(
    request: ModelRequest,
    signal: AbortSignal,
    head: (response: Response) => void,
  ): Promise<Response> {
    const model = request.model.slice(PROVIDER.length + 1);
    if (!MODEL.test(model)) throw providerError("Gemini", { kind: "request", words: "there is no such model" });
    const { client } = await load();
    const { contents, config } = geminiBody(model, request);
    const got = Promise.withResolvers<Response>();
    await client.models.generateContentStream({
      model,
      contents,
      config: {
        ...config,
        abortSignal: signal,
        httpOptions: {
          async fetch(url, init) {
            const response = await caller.fetch(url, init);
            head(response);
            got.resolve(response);
            return response;
          },
        },
      },
    });
    return got.promise;
  }

  return {
    name: PROVIDER,
    list: () => geminiModels,
    passesThrough: true,
    async prepare() {
      await load();
    },
    stream(request, sink, signal) {
      const model = request.model.slice(PROVIDER.length + 1);
      let headers: Headers | undefined;
      const failure = (error: unknown): ModelError => {
        const isApi = loaded !== undefined && error instanceof loaded.sdk.ApiError;
        return isApi ? geminiHttpError(error.status, error.message, headers, error) : geminiTransportError(error);
      };
      return caller.call({
        sink,
        signal,
        reader: (open) => createGeminiReader(model, open, createCallIds(callIdsOf(request.messages))),
        send: (sending) => send(request, sending, (response) => (headers = response.headers)),
        failure,
      });
    },
    close: () => caller.close(),
  };
}
