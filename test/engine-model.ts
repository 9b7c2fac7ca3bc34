/** A model that says what a test tells it to, when the test tells it. Its id is `demo`, as the runs of tests ask for. */
import type { ModelAnswer, ModelMessage, ModelProvider, ModelRequest, ModelSink } from "../src/ports/model.ts";
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

  think(...deltas: string[]): void {
    for (const delta of deltas) this.#sink.reasoning(delta);
  }

  /** A whole call; its arguments come in two pieces. */
  callTool(id: string, name: string, args: unknown): void {
    const json = typeof args === "string" ? args : JSON.stringify(args);
    const half = Math.ceil(json.length / 2);
    this.#sink.toolCall(id, name);
    for (const piece of [json.slice(0, half), json.slice(half)]) if (piece !== "") this.#sink.toolArgs(id, piece);
  }

  get sink(): ModelSink {
    return this.#sink;
  }

  end(stop: ModelAnswer["stop"] = "end", continuation?: unknown): void {
    const usage = { inputTokens: 1, outputTokens: this.#tokens };
    this.#answer.resolve({ stop, usage, ...(continuation === undefined ? {} : { continuation }) });
  }

  /** What it was told last. */
  get asked(): string | undefined {
    return spoken(this.request.messages).at(-1)?.[1];
  }

  fail(error: unknown): void {
    this.#answer.reject(error);
  }
}

export class ScriptedModel implements ModelProvider {
  readonly name = "demo";
  readonly passesThrough = false;
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

/** Who said what, as a model reads it; without the instructions. */
export const spoken = (messages: readonly ModelMessage[]): readonly (readonly [string, string])[] =>
  messages
    .filter(({ role }) => role !== "system")
    .map((message) => {
      switch (message.role) {
        case "system":
          return ["system", message.text];
        case "user":
          return ["user", message.content.map((part) => (part.type === "text" ? part.text : part.name)).join("")];
        case "assistant":
          return [
            "assistant",
            message.content
              .map((part) => (part.type === "tool-call" ? `${part.name}(${JSON.stringify(part.args)})` : part.text))
              .join(""),
          ];
        case "tool":
          return ["tool", message.results.map(({ content }) => content).join(" | ")];
      }
    });
