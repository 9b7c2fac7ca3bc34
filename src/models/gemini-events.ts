/**
 * Reads the stream of `streamGenerateContent`: events that are each a GenerateContentResponse with some more parts of the
 * answer. The last has a `finishReason`; without it the answer was cut. Thoughts are parts with `thought`, a call comes
 * whole in one part, counts are totals.
 */
import type { ModelAnswer, ModelSink } from "../ports/model.ts";
import type { Usage } from "../protocol/shapes.ts";
import type { CallIds } from "./call-ids.ts";
import { encodeContinuation, type PlacedSignature } from "./gemini-continuation.ts";
import { geminiStreamError, geminiTransportError } from "./gemini-errors.ts";
import { providerError } from "./provider-error.ts";
import type { AnswerReader } from "./sdk-call.ts";
import { count, type JsonObject, list, object, parsed, text } from "./wire-json.ts";

/** `model`: without `google/`; it goes into the continuation. */
export function createGeminiReader(model: string, sink: ModelSink, ids: CallIds): AnswerReader {
  const signatures: PlacedSignature[] = [];
  const counts = new Map<string, number>();
  let finishReason: string | undefined;
  let calls = 0;
  /** Calls, and texts that are not blank. */
  let said = 0;
  let inText: "no" | "blank" | "counted" = "no";

  function speak(delta: string): void {
    if (inText !== "counted") {
      inText = delta.trim() === "" ? "blank" : "counted";
      if (inText === "counted") said++;
    }
    sink.text(delta);
  }

  function call(functionCall: JsonObject): void {
    const name = text(functionCall["name"]);
    if (name === undefined) throw geminiTransportError();
    const id = ids.claim(text(functionCall["id"]));
    inText = "no";
    said++;
    calls++;
    sink.toolCall(id, name);
    sink.toolArgs(id, JSON.stringify(object(functionCall["args"]) ?? {}));
  }

  function take(part: JsonObject | undefined): void {
    const functionCall = part?.["functionCall"];
    const words = part?.["text"];
    if (part === undefined || (words !== undefined && typeof words !== "string")) throw geminiTransportError();
    if (functionCall !== undefined) {
      const asked = object(functionCall);
      if (asked === undefined) throw geminiTransportError();
      call(asked);
    } else if (part["thought"] === true) {
      inText = "no";
      if (words) sink.reasoning(words);
      return;
    } else if (words) {
      speak(words);
    }
    const signature = text(part["thoughtSignature"]);
    // It may come behind its text, on an empty one.
    if (signature !== undefined && said > 0) signatures.push({ at: said - 1, signature });
  }

  function countAll(metadata: JsonObject | undefined): void {
    for (const [name, value] of Object.entries(metadata ?? {})) {
      const number = count(value);
      if (number !== undefined) counts.set(name, number);
    }
  }

  function usage(): Usage {
    const of = (name: string) => counts.get(name) ?? 0;
    const cached = of("cachedContentTokenCount");
    const thoughts = of("thoughtsTokenCount");
    return {
      inputTokens: of("promptTokenCount") + of("toolUsePromptTokenCount"),
      outputTokens: of("candidatesTokenCount") + thoughts,
      ...(cached > 0 && { cachedInputTokens: cached }),
      ...(thoughts > 0 && { reasoningTokens: thoughts }),
    };
  }

  return {
    take(data) {
      const json = parsed(data);
      const event = object(Array.isArray(json) ? json[0] : json);
      if (event === undefined) throw geminiTransportError();
      if (event["error"] !== undefined) throw geminiStreamError(event["error"]);
      countAll(object(event["usageMetadata"]));
      const feedback = object(event["promptFeedback"]);
      const blocked = text(feedback?.["blockReason"]);
      if (blocked !== undefined) {
        throw providerError("Gemini", { kind: "content", words: text(feedback?.["blockReasonMessage"]) ?? blocked });
      }
      const candidate = object(list(event["candidates"])[0]);
      for (const part of list(object(candidate?.["content"])?.["parts"])) take(object(part));
      finishReason = text(candidate?.["finishReason"]) ?? finishReason;
      return finishReason === undefined ? "more" : "tail";
    },
    usage,
    end() {
      const stop = stopOf(finishReason, calls > 0);
      if (stop === undefined) return undefined;
      const continuation = encodeContinuation(model, signatures);
      return { stop, usage: usage(), ...(continuation !== undefined && { continuation }) };
    },
  };
}

/** Undefined for an answer that is none: it was cut, or the model wrote something that nobody can read. */
function stopOf(reason: string | undefined, hasCalls: boolean): ModelAnswer["stop"] | undefined {
  switch (reason) {
    case "STOP":
      return hasCalls ? "tool-calls" : "end";
    case "MAX_TOKENS":
    // The limit of one request, though the turn could go on in another.
    case "CONTINUATION":
      return "length";
    case "SAFETY":
    case "RECITATION":
    case "LANGUAGE":
    case "BLOCKLIST":
    case "PROHIBITED_CONTENT":
    case "SPII":
    case "MODEL_ARMOR":
    case "IMAGE_SAFETY":
    case "IMAGE_PROHIBITED_CONTENT":
    case "IMAGE_RECITATION":
      return "refusal";
    case undefined:
    default:
      return undefined;
  }
}
