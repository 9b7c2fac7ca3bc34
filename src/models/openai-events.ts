/**
 * Events of the Responses API → sink and answer. The text of an answer is a sequence of items; several of one kind in
 * a row are one part here, a blank line between them.
 */
import type { ResponseOutputItem, ResponseStreamEvent } from "openai/resources/responses/responses";
import type { ModelAnswer, ModelError, ModelSink } from "../ports/model.ts";
import type { Usage } from "../protocol/shapes.ts";
import type { CallIds } from "./call-ids.ts";
import type { Appetite } from "./http-stream.ts";
import { continuationFrom } from "./openai-continuation.ts";
import { failureOfEvent } from "./openai-failure.ts";
import { providerError } from "./provider-error.ts";
import type { AnswerReader } from "./sdk-call.ts";
import { count, object, parsed, text } from "./wire-json.ts";

const PROVIDER = "OpenAI";

/** Those that mean something here; there are many more. */
type ReadEvent = Extract<
  ResponseStreamEvent,
  {
    type:
      | "response.output_text.delta"
      | "response.refusal.delta"
      | "response.reasoning_summary_text.delta"
      | "response.reasoning_text.delta"
      | "response.output_item.added"
      | "response.output_item.done"
      | "response.function_call_arguments.delta"
      | "response.function_call_arguments.done"
      | "response.completed"
      | "response.incomplete"
      | "response.failed"
      | "error";
  }
>;

interface Call {
  readonly toolCallId: string;
  /** UTF-16 units of the arguments that the sink has. */
  written: number;
}

/** `model`: as OpenAI calls it. */
export function createResponsesReader(sink: ModelSink, model: string, ids: CallIds): AnswerReader {
  /** By `output_index`. */
  const calls = new Map<number, Call>();
  const output: ResponseOutputItem[] = [];
  let usage: Usage = { inputTokens: 0, outputTokens: 0 };
  let stop: ModelAnswer["stop"] | undefined;
  let refused = false;
  /** Kind and place of the text before: items and parts of items follow each other without a gap. */
  let last = "";

  function say(kind: "text" | "reasoning", place: string, delta: string): void {
    if (text(delta) === undefined) return;
    const gap = last.startsWith(kind) && last !== place ? "\n\n" : "";
    last = place;
    sink[kind](gap + delta);
  }

  /** The call of that item; begun now if it is new. */
  function callAt(index: number, item: ResponseOutputItem): Call | undefined {
    if (item?.type !== "function_call") return undefined;
    if (text(item.name) === undefined) throw failed(undefined);
    let call = calls.get(index);
    if (call === undefined) {
      call = { toolCallId: ids.claim(text(item.call_id)), written: 0 };
      calls.set(index, call);
      last = "";
      sink.toolCall(call.toolCallId, item.name);
    }
    return call;
  }

  function args(call: Call | undefined, delta: string): void {
    if (call === undefined || text(delta) === undefined) return;
    call.written += delta.length;
    sink.toolArgs(call.toolCallId, delta);
  }

  /** What the deltas did not say. */
  const argsWhole = (call: Call | undefined, whole: string) => args(call, text(whole)?.slice(call?.written ?? 0) ?? "");

  function done(index: number, item: ResponseOutputItem): void {
    if (item?.type !== "function_call") {
      output.push(item);
      return;
    }
    const call = callAt(index, item);
    argsWhole(call, item.arguments);
    output.push({ ...item, call_id: call?.toolCallId ?? item.call_id });
  }

  function take(data: string): Appetite {
    const event = parsed(data);
    if (typeof object(event)?.["type"] !== "string") {
      if (data === "[DONE]") return "more";
      throw failed(event);
    }
    // Its fields are those of the API's own description.
    return takeEvent(event as ReadEvent);
  }

  function takeEvent(event: ReadEvent): Appetite {
    switch (event.type) {
      case "response.output_text.delta":
        say("text", `text ${event.output_index} ${event.content_index}`, event.delta);
        return "more";
      case "response.refusal.delta":
        refused = true;
        say("text", `text ${event.output_index} ${event.content_index}`, event.delta);
        return "more";
      case "response.reasoning_summary_text.delta":
        say("reasoning", `reasoning ${event.output_index} ${event.summary_index}`, event.delta);
        return "more";
      case "response.reasoning_text.delta":
        say("reasoning", `reasoning ${event.output_index} ${event.content_index}`, event.delta);
        return "more";
      case "response.output_item.added":
        callAt(event.output_index, event.item);
        return "more";
      case "response.function_call_arguments.delta":
        args(calls.get(event.output_index), event.delta);
        return "more";
      case "response.function_call_arguments.done":
        argsWhole(calls.get(event.output_index), event.arguments);
        return "more";
      case "response.output_item.done":
        done(event.output_index, event.item);
        return "more";
      case "response.completed":
        usage = usageOf(event.response?.usage);
        stop = refused ? "refusal" : calls.size > 0 ? "tool-calls" : "end";
        return "done";
      case "response.incomplete":
        usage = usageOf(event.response?.usage);
        stop = event.response?.incomplete_details?.reason === "content_filter" ? "refusal" : "length";
        return "done";
      case "response.failed":
        throw failed(event.response?.error);
      case "error":
        throw failed(event);
      default:
        return "more";
    }
  }

  return {
    take,
    usage: () => usage,
    end() {
      if (stop === undefined) return undefined;
      const continuation = stop === "tool-calls" ? continuationFrom(model, output) : undefined;
      return { stop, usage, ...(continuation !== undefined && { continuation }) };
    },
  };
}

const failed = (payload: unknown): ModelError => providerError(PROVIDER, failureOfEvent(payload));

function usageOf(value: unknown): Usage {
  const usage = object(value);
  const cachedInputTokens = count(object(usage?.["input_tokens_details"])?.["cached_tokens"]);
  const reasoningTokens = count(object(usage?.["output_tokens_details"])?.["reasoning_tokens"]);
  return {
    inputTokens: count(usage?.["input_tokens"]) ?? 0,
    outputTokens: count(usage?.["output_tokens"]) ?? 0,
    ...(cachedInputTokens !== undefined && { cachedInputTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  };
}
