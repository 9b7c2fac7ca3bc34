/**
 * Reads the events of one streamed message of the Messages API:
 *
 *   message_start  (content_block_start  content_block_delta*  content_block_stop)*  message_delta*  message_stop
 *
 * What is unknown is passed over, as the interface asks for. Each delta goes to the sink as it comes.
 */
import type Anthropic from "@anthropic-ai/sdk";
import type { ModelAnswer, ModelSink } from "../ports/model.ts";
import type { Usage } from "../protocol/shapes.ts";
import { encodeContinuation, type PlacedThinking } from "./anthropic-continuation.ts";
import { type AnthropicApiError, anthropicError, anthropicTransportError } from "./anthropic-errors.ts";
import type { CallIds } from "./call-ids.ts";
import type { Appetite } from "./http-stream.ts";
import type { AnswerReader } from "./sdk-call.ts";
import { parsed } from "./wire-json.ts";

type Counts = Partial<Anthropic.Usage> | Partial<Anthropic.MessageDeltaUsage>;

/** The fields that are read, of each block and delta that is. */
const READ: Readonly<Record<string, readonly string[]>> = {
  text: ["text"],
  thinking: ["thinking"],
  redacted_thinking: ["data"],
  tool_use: ["id", "name"],
  text_delta: ["text"],
  thinking_delta: ["thinking"],
  signature_delta: ["signature"],
  input_json_delta: ["partial_json"],
};

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/** Is it an event, of a known kind in its form or of an unknown one? */
function isEvent(value: unknown): value is Anthropic.RawMessageStreamEvent {
  if (!isObject(value) || typeof value["type"] !== "string") return false;
  switch (value["type"]) {
    case "message_start":
      return isObject(value["message"]);
    case "message_delta":
      return isObject(value["delta"]);
    case "content_block_start":
      return typeof value["index"] === "number" && isReadable(value["content_block"]);
    case "content_block_delta":
      return typeof value["index"] === "number" && isReadable(value["delta"]);
    default:
      return true;
  }
}

function isReadable(value: unknown): boolean {
  if (!isObject(value) || typeof value["type"] !== "string") return false;
  return (READ[value["type"]] ?? []).every((field) => typeof value[field] === "string");
}

/** A block that has begun and not stopped. */
type OpenBlock =
  | { readonly type: "text" }
  | { readonly type: "thinking"; readonly at: number; thinking: string; signature: string }
  | { readonly type: "call"; readonly id: string; readonly input: unknown; hasArgs: boolean };

/** `model`: without `anthropic/`; it goes into the continuation. */
export function createAnthropicReader(model: string, sink: ModelSink, ids: CallIds): AnswerReader {
  const open = new Map<number, OpenBlock>();
  const thinking: PlacedThinking[] = [];
  let usage: Usage = { inputTokens: 0, outputTokens: 0 };
  let counts: Counts = {};
  let stopReason: Anthropic.StopReason | null = null;
  let stopped = false;
  /** Texts that are not blank, and calls. */
  let said = 0;
  let inText: "no" | "blank" | "counted" = "no";
  let calls = 0;

  function text(delta: string): void {
    if (delta === "") return;
    if (inText !== "counted") {
      inText = delta.trim() === "" ? "blank" : "counted";
      if (inText === "counted") said++;
    }
    sink.text(delta);
  }

  function think(block: OpenBlock & { type: "thinking" }, delta: string): void {
    if (delta === "") return;
    inText = "no";
    block.thinking += delta;
    sink.reasoning(delta);
  }

  /** Other blocks are of tools that run at the provider, which are never asked for. */
  function begin(index: number, block: Anthropic.RawContentBlockStartEvent["content_block"]): void {
    if (block.type === "text") {
      open.set(index, { type: "text" });
      text(block.text);
    } else if (block.type === "thinking") {
      const entry: OpenBlock = { type: "thinking", at: said, thinking: "", signature: block.signature ?? "" };
      open.set(index, entry);
      think(entry, block.thinking);
    } else if (block.type === "redacted_thinking") {
      thinking.push({ at: said, block: { type: "redacted_thinking", data: block.data } });
    } else if (block.type === "tool_use") {
      const id = ids.claim(block.id);
      open.set(index, { type: "call", id, input: block.input, hasArgs: false });
      inText = "no";
      said++;
      calls++;
      sink.toolCall(id, block.name);
    }
  }

  function grow(block: OpenBlock | undefined, delta: Anthropic.RawContentBlockDelta): void {
    if (delta.type === "text_delta") {
      if (block?.type === "text") text(delta.text);
    } else if (delta.type === "thinking_delta") {
      if (block?.type === "thinking") think(block, delta.thinking);
    } else if (delta.type === "signature_delta") {
      if (block?.type === "thinking") block.signature += delta.signature;
    } else if (delta.type === "input_json_delta") {
      if (block?.type !== "call" || delta.partial_json === "") return;
      block.hasArgs = true;
      sink.toolArgs(block.id, delta.partial_json);
    }
  }

  function end(block: OpenBlock | undefined): void {
    if (block?.type === "call" && !block.hasArgs) {
      // No arguments are an empty object; some servers send them whole, at the beginning.
      sink.toolArgs(block.id, JSON.stringify(block.input ?? {}));
    } else if (block?.type === "thinking" && block.signature !== "") {
      const { at, thinking: thought, signature } = block;
      thinking.push({ at, block: { type: "thinking", thinking: thought, signature } });
    }
  }

  /** The counts are totals; an event leaves out, or sets to null, what it does not know. */
  function count(given: Counts | undefined): void {
    const known = Object.entries(given ?? {}).filter(([, value]) => value !== null && value !== undefined);
    counts = { ...counts, ...Object.fromEntries(known) };
    const cached = counts.cache_read_input_tokens ?? 0;
    const reasoning = counts.output_tokens_details?.thinking_tokens ?? 0;
    usage = {
      inputTokens: (counts.input_tokens ?? 0) + (counts.cache_creation_input_tokens ?? 0) + cached,
      outputTokens: counts.output_tokens ?? 0,
      ...(cached > 0 && { cachedInputTokens: cached }),
      ...(reasoning > 0 && { reasoningTokens: reasoning }),
    };
  }

  function apply(event: Anthropic.RawMessageStreamEvent): void {
    switch (event.type) {
      case "message_start":
        return count(event.message.usage);
      case "content_block_start":
        return begin(event.index, event.content_block);
      case "content_block_delta":
        return grow(open.get(event.index), event.delta);
      case "content_block_stop":
        end(open.get(event.index));
        open.delete(event.index);
        return;
      case "message_delta":
        stopReason = event.delta.stop_reason ?? stopReason;
        return count(event.usage);
      case "message_stop":
        stopped = true;
        return;
      default:
        return;
    }
  }

  function take(data: string): Appetite {
    const event = parsed(data);
    if (isObject(event) && event["type"] === "error") throw anthropicError(failureOf(event["error"]));
    if (!isEvent(event)) throw anthropicTransportError();
    apply(event);
    return stopped ? "done" : "more";
  }

  return {
    take,
    usage: () => usage,
    end() {
      if (!stopped) return undefined;
      const continuation = encodeContinuation(model, thinking);
      const stop = stopOf(stopReason, calls > 0);
      return { stop, usage, ...(continuation !== undefined && { continuation }) };
    },
  };
}

/** An error that comes behind status 200. */
function failureOf(error: unknown): AnthropicApiError {
  const { type, message, details } = isObject(error) ? error : {};
  const code = isObject(details) ? details["error_code"] : undefined;
  const word = (value: unknown) => (typeof value === "string" ? value : null);
  return { status: undefined, headers: undefined, type: word(type), errorCode: word(code), apiMessage: word(message) };
}

function stopOf(reason: Anthropic.StopReason | null, hasCalls: boolean): ModelAnswer["stop"] {
  switch (reason) {
    case "max_tokens":
    case "model_context_window_exceeded":
    // A pause of tools that run at the provider, which are never asked for: the answer is not whole.
    case "pause_turn":
      return "length";
    case "refusal":
      return "refusal";
    case "tool_use":
      return hasCalls ? "tool-calls" : "end";
    case "end_turn":
    case "stop_sequence":
    case null:
      return "end";
    default:
      return hasCalls ? "tool-calls" : "end";
  }
}
