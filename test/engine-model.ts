/** A model that says what a test tells it to, when the test tells it. Its id is `demo`, as the runs of tests ask for. */
import type { ModelAnswer, ModelProvider, ModelRequest, ModelSink } from "../src/ports/model.ts";
import { until } from "./support/until.ts";

export class ScriptedCall {
  readonly request: ModelRequest;
  readonly #sink: ModelSink;
  readonly #answer = Promise.withResolvers<ModelAnswer>();
  #tokens = 0;

  constructor(request: ModelRequest, sink: ModelSink) {
    this.request = request;
    this.#sink = sink;
  }

  get answer(): Promise<ModelAnswer> {
    return this.#answer.promise;
  }

  say(...deltas: string[]): void {
    for (const delta of deltas) {
      this.#tokens++;
      this.#sink.text(delta);
    }
  }

  end(stop: ModelAnswer["stop"] = "end"): void {
    this.#answer.resolve({ stop, usage: { inputTokens: 1, outputTokens: this.#tokens } });
  }

  fail(error: unknown): void {
    this.#answer.reject(error);
  }
}

export class ScriptedModel implements ModelProvider {
  readonly name = "demo";
  readonly calls: ScriptedCall[] = [];
  /** Takes no notice of an abort. */
  deaf = false;

  list() {
    return [{ id: "demo", provider: "demo", name: "Scripted", available: true }];
  }

  stream(request: ModelRequest, sink: ModelSink, signal: AbortSignal): Promise<ModelAnswer> {
    const call = new ScriptedCall(request, sink);
    this.calls.push(call);
    const abort = () => {
      if (!this.deaf) call.end("aborted");
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    return call.answer;
  }

  close(): void {
    for (const call of this.calls) call.end("aborted");
  }

  /** The n-th call that was made, when it has been; counted from 1. */
  async call(n: number): Promise<ScriptedCall> {
    await until(() => this.calls.length >= n, `call ${n} of the model`);
    const call = this.calls[n - 1];
    if (call === undefined) throw new Error(`no call ${n}`);
    return call;
  }
}
