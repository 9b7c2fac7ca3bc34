/**
 * Requests through a provider's SDK. The SDK makes the request and knows its errors; the stream is read here
 * (http-stream.ts), which costs less and ends at once when it is aborted.
 */
import { ModelError, type ModelAnswer, type ModelSink } from "../ports/model.ts";
import type { Usage } from "../protocol/shapes.ts";
import { type Appetite, createHttpStreams, type HttpStreams, readEvents } from "./http-stream.ts";
import { createOpenStreams } from "./open-streams.ts";
import { providerError } from "./provider-error.ts";

/** Reads one answer. A `ModelError` that it throws is how the call fails. */
export interface AnswerReader {
  take(data: string, event: string): Appetite;
  /** After the last event; undefined when the provider's end mark is missing. */
  end(): ModelAnswer | undefined;
  /** As far as it was told. */
  usage(): Usage;
}

export interface SdkCall {
  readonly sink: ModelSink;
  /** The caller's. */
  readonly signal: AbortSignal;
  /** The sink that it gets is deaf from the abort on: one event may be several calls, and any of them may abort. */
  readonly reader: (sink: ModelSink) => AnswerReader;
  /** Asks for the stream through the SDK, whose `fetch` must be the caller's. */
  readonly send: (signal: AbortSignal) => Promise<Response>;
  /** What `send` failed with, unless it is a `ModelError` already. */
  readonly failure: (error: unknown) => ModelError;
}

export interface SdkCaller {
  readonly fetch: HttpStreams["fetch"];
  call(call: SdkCall): Promise<ModelAnswer>;
  /** Ends all calls as an abort does. */
  close(): void;
}

/** `provider` as people write it. `headers` of the requests: lower case, others are not sent. Default: all. */
export function createSdkCaller(provider: string, headers?: readonly string[]): SdkCaller {
  const http = createHttpStreams(headers === undefined ? {} : { headers });
  const streams = createOpenStreams();

  async function call({ sink, signal: caller, reader, send, failure }: SdkCall): Promise<ModelAnswer> {
    const stream = streams.open(caller);
    const { signal } = stream;
    const answer = reader(whileOpen(sink, signal));
    try {
      const response = signal.aborted ? undefined : await sent(send, failure, signal);
      if (response === undefined) return { stop: "aborted", usage: answer.usage() };
      const body = http.bodyOf(response);
      body?.on("data", () => sink.alive?.());
      const end =
        body === undefined ? "cut" : await readEvents(body, signal, (data, event) => answer.take(data, event));
      if (end === "aborted") return { stop: "aborted", usage: answer.usage() };
      const whole = end === "cut" ? undefined : answer.end();
      if (whole === undefined) throw providerError(provider, { kind: "transport" });
      return whole;
    } finally {
      stream.done();
    }
  }

  /** Undefined at once when it is aborted, whatever the SDK does meanwhile. */
  async function sent(
    send: SdkCall["send"],
    failure: SdkCall["failure"],
    signal: AbortSignal,
  ): Promise<Response | undefined> {
    const aborted = Promise.withResolvers<undefined>();
    const abort = () => aborted.resolve(undefined);
    signal.addEventListener("abort", abort, { once: true });
    const sending = send(signal);
    // Behind an abort nobody waits for it.
    sending.then(
      (response) => signal.aborted && http.bodyOf(response)?.destroy(),
      () => undefined,
    );
    try {
      return await Promise.race([aborted.promise, sending]);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error instanceof ModelError ? error : failure(error);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  return {
    fetch: (url, init) => http.fetch(url, init),
    call,
    close() {
      streams.close();
      http.close();
    },
  };
}

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
