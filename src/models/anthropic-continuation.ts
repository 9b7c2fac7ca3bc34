/**
 * What Anthropic wants back in a loop of tools: the thinking of its last answer with the signatures, unread, in its
 * place among the other blocks.
 */
import type Anthropic from "@anthropic-ai/sdk";
import { z } from "zod";

export type ThinkingBlock = Anthropic.ThinkingBlockParam | Anthropic.RedactedThinkingBlockParam;

export interface PlacedThinking {
  /** How many texts that are not blank, and calls, of the answer stand before it. */
  readonly at: number;
  readonly block: ThinkingBlock;
}

/** Bytes of JSON that the port allows. */
const MAX_BYTES = 256 * 1024;

const continuation = z.object({
  model: z.string(),
  thinking: z.array(
    z.object({
      at: z.int().min(0),
      block: z.discriminatedUnion("type", [
        z.object({ type: z.literal("thinking"), thinking: z.string(), signature: z.string() }),
        z.object({ type: z.literal("redacted_thinking"), data: z.string() }),
      ]),
    }),
  ),
});

/** undefined when there is nothing to send back, or too much: the model then goes on without its thoughts. */
export function encodeContinuation(model: string, thinking: readonly PlacedThinking[]): unknown {
  if (thinking.length === 0) return undefined;
  const value = { model, thinking };
  return Buffer.byteLength(JSON.stringify(value)) <= MAX_BYTES ? value : undefined;
}

/** Nothing of another provider's or another model's continuation: a signature holds for the model that gave it. */
export function decodeContinuation(model: string, value: unknown): readonly PlacedThinking[] {
  const parsed = continuation.safeParse(value);
  return parsed.success && parsed.data.model === model ? parsed.data.thinking : [];
}
