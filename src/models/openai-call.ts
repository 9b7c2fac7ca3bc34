/**
 * One request through OpenAI's SDK, to OpenAI or to a server that speaks like it: from the lazy import of the SDK to
 * the end of the stream. The SDK makes the request and knows its errors; the stream is read here (http-stream.ts).
 */
import type { IncomingMessage } from "node:http";
import type OpenAI from "openai";
import type { ModelAnswer, ModelError, ModelSink } from "../ports/model.ts";
import type { Usage } from "../protocol/shapes.ts";
import { type Appetite, createHttpStreams, readEvents } from "./http-stream.ts";
import { createOpenStreams } from "./open-streams.ts";
import { failureOfError, type OpenAiFailure } from "./openai-failure.ts";
import { providerError } from "./provider-error.ts";

/** Reads one answer. What its methods throw, if it is a `ModelError`, is how the call fails. */
export interface AnswerReader {
  take(data: string, event: string): Appetite;
  /** After the last event; undefined when the provider's end mark is missing. */
  end(): ModelAnswer | undefined;
  /** As far as it was told. */
  usage(): Usage;
}

export interface OpenAiCall {
  /** Of the API: `/responses`. */
  readonly path: string;
  /** Called when the request is about to be sent; what it throws fails the call. */
  readonly body: () => object;
  readonly sink: ModelSink;
  readonly reader: (sink: ModelSink) => AnswerReader;
  /** A failure of the request, before a stream began, to say more of it. */
  readonly refused?: (failure: OpenAiFailure) => ModelError | undefined;
  readonly signal: AbortSignal;
}

export interface OpenAiCaller {
  call(call: OpenAiCall): Promise<ModelAnswer>;
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
  const http = createHttpStreams(headers === undefined ? {} : { headers });
  const streams = createOpenStreams();
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
      fetch: (url, init) => http.fetch(url, init),
      ...(apiKey === undefined && { defaultHeaders: { authorization: null } }),
    });
    return client;
  }

  async function call({ path, body, sink, reader, refused, signal: caller }: OpenAiCall): Promise<ModelAnswer> {
    const open = streams.open(caller);
    const { signal } = open;
    const answer = reader(whileOpen(sink, signal));
    try {
      const stream = await send(path, body, signal, refused);
      const end =
        stream === undefined ? "aborted" : await readEvents(stream, signal, (data, event) => answer.take(data, event));
      if (end === "aborted") return { stop: "aborted", usage: answer.usage() };
      const whole = end === "cut" ? undefined : answer.end();
      if (whole === undefined) throw providerError(provider, { kind: "transport" });
      return whole;
    } finally {
      open.done();
    }
  }

  /** The body of the answer; undefined when it is aborted. */
  async function send(
    path: string,
    body: () => object,
    signal: AbortSignal,
    refused: OpenAiCall["refused"],
  ): Promise<IncomingMessage | undefined> {
    const request = ready().then((sdk) => sdk.post(path, { body: body(), stream: true, signal }).asResponse());
    // Behind an abort nobody waits for it.
    request.then(
      (response) => signal.aborted && http.bodyOf(response)?.destroy(),
      () => undefined,
    );
    try {
      const response = await unlessAborted(request, signal);
      return response && http.bodyOf(response);
    } catch (error) {
      if (signal.aborted) return undefined;
      const failure = failureOfError(error);
      const words = apiKey === undefined ? failure.words : failure.words.replaceAll(apiKey, "…");
      throw refused?.(failure) ?? providerError(provider, { ...failure, words });
    }
  }

  return {
    call,
    close() {
      streams.close();
      http.close();
    },
  };
}

/** The same sink, deaf from the abort on: one event may be several calls, and any of them may abort. */
const whileOpen = (sink: ModelSink, signal: AbortSignal): ModelSink => ({
  text(delta) {
    if (!signal.aborted) sink.text(delta);
  },
  reasoning(delta) {
    if (!signal.aborted) sink.reasoning(delta);
  },
  toolCall(id, name) {
    if (!signal.aborted) sink.toolCall(id, name);
  },
  toolArgs(id, delta) {
    if (!signal.aborted) sink.toolArgs(id, delta);
  },
});

/** Undefined at once when it is aborted, whatever becomes of the work. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const aborted = Promise.withResolvers<undefined>();
  const abort = () => aborted.resolve(undefined);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([aborted.promise, work]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
