/**
 * Chunks of chat completions → sink and answer, of whatever server sends them.
 *
 *   reasoning   `reasoning_content` (DeepSeek, vLLM, xAI, llama.cpp), `reasoning` (Groq, Ollama, OpenRouter), entries of
 *               type "thinking" in a content that is a list (Mistral), `<think>` in the text (LM Studio)
 *   end         `finish_reason` or [DONE]; a stream with neither was cut. Behind the former the usage may follow
 *   usage       in a last chunk without choices, in the one with `finish_reason`, or in all of them
 *   errors      a chunk with `error`, or an event of that name
 *   no stream   the whole completion as one JSON object, from servers that do not stream
 */
import { ModelError, type ModelAnswer, type ModelSink } from "../ports/model.ts";
import type { Usage } from "../protocol/shapes.ts";
import type { CallIds } from "./call-ids.ts";
import { addDetail, bounded, type ReasoningField } from "./compatible-continuation.ts";
import { createThinkingSplitter } from "./compatible-thinking.ts";
import { createToolCallReader } from "./compatible-tool-calls.ts";
import { chatUsage } from "./compatible-usage.ts";
import type { Appetite } from "./http-stream.ts";
import { failureOfEvent } from "./openai-failure.ts";
import { providerError } from "./provider-error.ts";
import type { AnswerReader } from "./sdk-call.ts";
import { type JsonObject, list, object, parsed, text } from "./wire-json.ts";

/** `model`: as the server calls it. `provider`: as people call the server. */
export function createChatReader(sink: ModelSink, model: string, ids: CallIds, provider: string): AnswerReader {
  const calls = createToolCallReader(sink, ids);
  const details: JsonObject[] = [];
  let usage: Usage = { inputTokens: 0, outputTokens: 0 };
  let finish: string | undefined;
  let done = false;
  let said = false;
  let refused = false;
  let field: ReasoningField | undefined;
  let thoughts = "";

  const splitter = createThinkingSplitter(
    (delta) => sink.text(delta),
    (delta) => sink.reasoning(delta),
  );

  function think(delta: string | undefined, of: ReasoningField): void {
    if (delta === undefined) return;
    said = true;
    field ??= of;
    thoughts += delta;
    splitter.off();
    sink.reasoning(delta);
  }

  function speak(delta: string | undefined): void {
    if (delta === undefined) return;
    said = true;
    splitter.push(delta);
  }

  function take(data: string, event: string): Appetite {
    if (data.trim() === "[DONE]") {
      done = true;
      return "done";
    }
    const chunk = object(parsed(data));
    if (chunk === undefined) throw failed(undefined);
    const error = chunk["error"];
    if ((error !== undefined && error !== null) || event === "error" || chunk["object"] === "error")
      throw failed(chunk);
    const groq = object(chunk["x_groq"]);
    if (text(groq?.["error"]) !== undefined) throw failed(groq);
    const choice = object(list(chunk["choices"])[0]);
    if (choice !== undefined) takeChoice(choice);
    const told = object(chunk["usage"]) ?? object(groq?.["usage"]);
    if (told !== undefined) usage = chatUsage(told);
    return finish === undefined ? "more" : "tail";
  }

  function takeChoice(choice: JsonObject): void {
    if (object(choice["error"]) !== undefined) throw failed(choice);
    const delta = object(choice["delta"]) ?? object(choice["message"]);
    if (delta !== undefined) takeDelta(delta);
    finish = text(choice["finish_reason"]) ?? finish;
    if (finish !== undefined) failedFinish(finish);
  }

  function takeDelta(delta: JsonObject): void {
    // Some servers repeat the same thought in both fields.
    const thought = text(delta["reasoning_content"]);
    think(thought, "reasoning_content");
    if (thought === undefined) think(text(delta["reasoning"]), "reasoning");
    for (const detail of list(delta["reasoning_details"])) {
      const piece = object(detail);
      if (piece !== undefined) addDetail(details, piece);
    }
    takeContent(delta["content"]);
    if (text(delta["refusal"]) !== undefined) {
      refused = true;
      speak(text(delta["refusal"]));
    }
    const entries = list(delta["tool_calls"]);
    if (entries.length === 0) return;
    said = true;
    splitter.end();
    for (const entry of entries) calls.take(entry);
  }

  function takeContent(content: unknown): void {
    if (!Array.isArray(content)) return speak(text(content));
    for (const entry of content.map(object)) {
      if (entry?.["type"] === "text") speak(text(entry["text"]));
      if (entry?.["type"] !== "thinking") continue;
      const inner = entry["thinking"];
      if (typeof inner === "string") think(text(inner), "thinking");
      else for (const part of list(inner)) think(text(object(part)?.["text"]), "thinking");
    }
  }

  /** Reasons to finish that are failures of the server. */
  function failedFinish(reason: string): void {
    switch (reason) {
      case "error":
      case "insufficient_system_resource":
        throw providerError(provider, { kind: "overload" });
      case "abort":
      case "cancelled":
        throw providerError(provider, { kind: "transport" });
      default:
    }
  }

  function stopOf(reason: string | undefined): ModelAnswer["stop"] {
    switch (reason) {
      case "length":
      case "max_tokens":
      case "model_length":
        return "length";
      case "content_filter":
      case "refusal":
      case "safety":
        return "refusal";
      case undefined:
      default:
        // "stop", "tool_calls", and whatever else: what came says more.
        if (refused) return "refusal";
        return calls.size > 0 ? "tool-calls" : "end";
    }
  }

  const failed = (payload: unknown): ModelError => providerError(provider, failureOfEvent(payload));

  function end(): ModelAnswer | undefined {
    splitter.end();
    // An end mark behind nothing: vLLM hides an error before the first token so.
    if (finish === undefined && !(done && said)) return undefined;
    if (calls.nameless()) throw failed(undefined);
    const stop = stopOf(finish);
    if (stop !== "tool-calls") return { stop, usage };
    const extras = calls.extras();
    const continuation = bounded({
      chat: 1,
      model,
      ...(field !== undefined && { reasoning: { field, text: thoughts } }),
      ...(details.length > 0 && { details }),
      ...(Object.keys(extras).length > 0 && { extras }),
    });
    return { stop, usage, ...(continuation !== undefined && { continuation }) };
  }

  return { take, end, usage: () => usage };
}
