/** Google's models, as of November 2026: ai.google.dev, "Gemini models". */
import type { ModelInfo } from "../protocol/shapes.ts";

export const PROVIDER = "google";

const CONTEXT_TOKENS = 1_048_576;

const MODELS = [
  ["gemini-4-argon", "Gemini 4 Argon"],
  ["gemini-3.8-flash", "Gemini 3.8 Flash"],
  ["gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite"],
] as const;

export const geminiModels: readonly ModelInfo[] = MODELS.map(([id, name]) => ({
  id: `${PROVIDER}/${id}`,
  provider: PROVIDER,
  name,
  available: true,
  images: true,
  contextTokens: CONTEXT_TOKENS,
}));

export interface GeminiTraits {
  /** May it be asked for its thoughts? Others refuse the question. */
  readonly thinks: boolean;
  /** Does it refuse its calls of this turn without their signatures? */
  readonly signs: boolean;
}

/** Of any id, without its `google/`. What has no number (`gemini-flash-latest`) is new. */
export function traitsOf(model: string): GeminiTraits {
  if (!model.startsWith("gemini-") || /-(?:image|tts|transcribe|embedding)/.test(model)) {
    return { thinks: false, signs: false };
  }
  const version = Number(/^gemini-(\d+(?:\.\d+)?)/.exec(model)?.[1] ?? Number.POSITIVE_INFINITY);
  return { thinks: version >= 2.5, signs: version >= 3 };
}
