/** Which models a server has, by its own word: GET /models, in as many forms as there are servers. */
import type { ModelInfo } from "../protocol/shapes.ts";
import { createHttpStreams, type HttpStreams, readText } from "./http-stream.ts";
import { count, list, object, parsed, text } from "./wire-json.ts";

const MAX_MODELS = 500;
const MAX_BYTES = 4 * 1024 * 1024;
const LIMIT_MS = 5_000;
const REFRESH_MS = 5 * 60_000;
/** Models of other kinds stand in the same lists; only some servers say which. */
const NOT_CHAT = /embed|rerank|whisper|tts|moderation|guard|transcri|speech|dall-e|image-gen|bge-|orpheus/i;

const NOT_CHAT_TYPE = /embed|image|audio|video|rerank|moderation|transcri|speech/;

export interface ModelList {
  /** As far as is known. */
  current(): readonly ModelInfo[];
  /** Resolves when the first look has ended, however it did. */
  readonly looked: Promise<void>;
  close(): void;
}

export interface ModelListOptions {
  readonly provider: string;
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  /** Known before the first look. */
  readonly known?: readonly ModelInfo[];
  /** 0: never asks. Default: 5 minutes. */
  readonly refreshMs?: number;
}

/** Looks at once and then every few minutes. A look that fails changes nothing. */
export function createModelList(options: ModelListOptions): ModelList {
  const { provider, baseUrl, apiKey, known = [], refreshMs = REFRESH_MS } = options;
  const http = createHttpStreams();
  const closed = new AbortController();
  let models = known;
  let busy = false;

  async function look(): Promise<void> {
    if (busy) return;
    busy = true;
    const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
    const answer = await getJson(http, joined(baseUrl, "models"), headers, LIMIT_MS, closed.signal);
    busy = false;
    // OpenAI: {data}; Together: the list alone; Ollama's older ones: {models}.
    const found = Array.isArray(answer) ? answer : list(object(answer)?.["data"] ?? object(answer)?.["models"]);
    if (found.length > 0) models = found.flatMap((entry) => infoOf(entry, provider)).slice(0, MAX_MODELS);
  }

  const timer = refreshMs > 0 ? setInterval(() => void look(), refreshMs).unref() : undefined;
  return {
    current: () => models,
    looked: refreshMs > 0 ? look() : Promise.resolve(),
    close() {
      clearInterval(timer);
      closed.abort();
      http.close();
    },
  };
}

/** None for what is no model to chat with. */
function infoOf(entry: unknown, provider: string): ModelInfo[] {
  const model = object(entry);
  const id = text(model?.["id"]);
  if (model === undefined || id === undefined || id.length > 200 || NOT_CHAT.test(id)) return [];
  const capabilities = object(model["capabilities"]);
  const type = text(model["type"]) ?? "";
  if (capabilities?.["completion_chat"] === false || NOT_CHAT_TYPE.test(type)) return [];
  const inputs = list(object(model["architecture"])?.["input_modalities"]);
  const sees = inputs.includes("image") || capabilities?.["vision"] === true || type === "vlm";
  // Most say nothing of it, whatever they take.
  const told = sees || inputs.length > 0 || typeof capabilities?.["vision"] === "boolean" || type === "llm";
  const contextTokens = [
    // vLLM; OpenRouter and Together; Groq; Mistral; LM Studio; llama.cpp.
    model["max_model_len"],
    model["context_length"],
    model["context_window"],
    model["max_context_length"],
    model["loaded_context_length"],
    object(model["meta"])?.["n_ctx_train"],
  ]
    .map(count)
    .find((tokens) => tokens !== undefined && tokens > 0);
  return [
    {
      id: `${provider}/${id}`,
      provider,
      name: (text(model["name"]) ?? id).slice(0, 200),
      available: true,
      ...(told && { images: sees }),
      ...(contextTokens !== undefined && { contextTokens }),
    },
  ];
}

const joined = (baseUrl: string, path: string): string => `${baseUrl.replace(/\/+$/, "")}/${path}`;

/** JSON of an answer of status 2xx; undefined for whatever else happens within the limit, or when it is over. */
async function getJson(
  http: HttpStreams,
  url: string,
  headers: Readonly<Record<string, string>>,
  limitMs: number,
  closed?: AbortSignal,
): Promise<unknown> {
  const limit = new AbortController();
  const abort = () => limit.abort();
  const timer = setTimeout(abort, limitMs);
  closed?.addEventListener("abort", abort, { once: true });
  try {
    const body = http.bodyOf(await http.fetch(url, { headers, signal: limit.signal }));
    return body === undefined ? undefined : parsed(await readText(body, MAX_BYTES, limit.signal));
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    closed?.removeEventListener("abort", abort);
  }
}

export interface FoundOllama {
  /** For `createCompatible`. */
  readonly baseUrl: string;
  readonly models: readonly ModelInfo[];
}

/** Ollama where it listens by default. Undefined when nobody answers like it within the limit. */
export async function findOllama({
  address = "http://127.0.0.1:11434",
  limitMs = 500,
}: { readonly address?: string; readonly limitMs?: number } = {}): Promise<FoundOllama | undefined> {
  const http = createHttpStreams();
  try {
    const answer = object(await getJson(http, joined(address, "api/tags"), {}, limitMs));
    if (!Array.isArray(answer?.["models"])) return undefined;
    const models = list(answer["models"]).flatMap((entry) => {
      const bert = /bert/.test(String(object(object(entry)?.["details"])?.["family"]));
      return bert ? [] : infoOf({ id: object(entry)?.["name"] }, "compatible");
    });
    return { baseUrl: joined(address, "v1"), models: models.slice(0, MAX_MODELS) };
  } finally {
    http.close();
  }
}
