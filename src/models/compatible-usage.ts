/** Usage of chat completions, under the names that servers give its parts. */
import type { Usage } from "../protocol/shapes.ts";
import { count, object, type JsonObject } from "./wire-json.ts";

export function chatUsage(usage: JsonObject): Usage {
  const inputTokens = count(usage["prompt_tokens"]) ?? 0;
  const written = count(usage["completion_tokens"]) ?? 0;
  const total = count(usage["total_tokens"]) ?? 0;
  const cachedInputTokens =
    count(object(usage["prompt_tokens_details"])?.["cached_tokens"]) ??
    // DeepSeek; Moonshot.
    count(usage["prompt_cache_hit_tokens"]) ??
    count(usage["cached_tokens"]);
  const reasoningTokens = count(object(usage["completion_tokens_details"])?.["reasoning_tokens"]);
  return {
    inputTokens,
    // xAI and Gemini count reasoning in the total only.
    outputTokens: Math.max(written, total - inputTokens),
    ...(cachedInputTokens !== undefined && { cachedInputTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  };
}
