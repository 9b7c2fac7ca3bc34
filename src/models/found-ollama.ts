/**
 * An Ollama on this machine, listed when it is found. It is looked for now and then until it is: people start it when
 * they need it. Nothing waits for a look.
 */
import { ModelError, type ModelProvider } from "../ports/model.ts";
import { findOllama, type FoundOllama } from "./compatible-models.ts";
import { createCompatible } from "./compatible.ts";

export interface OllamaSearch {
  /** Undefined: nobody is there. Never rejects. */
  readonly find?: () => Promise<FoundOllama | undefined>;
  readonly everyMs?: number;
}

const EVERY_MS = 60_000;

export function createFoundOllama({ find = findOllama, everyMs = EVERY_MS }: OllamaSearch = {}): ModelProvider {
  let provider: ModelProvider | undefined;
  let closed = false;
  let looking = false;

  function look(): void {
    if (looking) return;
    looking = true;
    find().then(take, () => take(undefined));
  }

  function take(ollama: FoundOllama | undefined): void {
    looking = false;
    if (ollama === undefined || closed) return;
    clearInterval(timer);
    provider = createCompatible({ name: "compatible", ...ollama });
  }

  const timer = setInterval(look, everyMs).unref();
  look();
  return {
    name: "compatible",
    found: true,
    list: () => provider?.list() ?? [],
    get passesThrough() {
      return provider !== undefined;
    },
    stream: (request, sink, signal) =>
      provider?.stream(request, sink, signal) ??
      Promise.reject(new ModelError("request", "There is no Ollama on this machine.")),
    close() {
      closed = true;
      clearInterval(timer);
      provider?.close();
    },
  };
}
