/** Anthropic's models, as of November 2026: platform.claude.com, "Models overview". */
import type { ModelInfo } from "../protocol/shapes.ts";

export const PROVIDER = "anthropic";

/**
 * `adaptive`: the model decides itself; a summary of it must be asked for, or the answer begins with silence.
 * `budget`: models up to 4.5 think only when they are given tokens for it. `none`: not asked for.
 */
export type Thinking = "adaptive" | "budget" | "none";

export interface ModelTraits {
  readonly thinking: Thinking;
  /** Most tokens that an answer may have, with its thinking. */
  readonly maxOutputTokens: number;
}

/** Long enough for any answer; the models' own limit of 128K would let a runaway answer cost twice as much. */
const MAX_OUTPUT_TOKENS = 64_000;

const MODELS = [
  ["claude-opus-5-5", "Claude Opus 5.5", 1_000_000],
  ["claude-sonnet-5-5", "Claude Sonnet 5.5", 1_000_000],
  ["claude-haiku-5-5", "Claude Haiku 5.5", 1_000_000],
  ["claude-fable-5-2", "Claude Fable 5.2", 1_000_000],
  ["claude-haiku-4-5", "Claude Haiku 4.5", 200_000],
] as const;

export const anthropicModels: readonly ModelInfo[] = MODELS.map(([id, name, contextTokens]) => ({
  id: `${PROVIDER}/${id}`,
  provider: PROVIDER,
  name,
  available: true,
  images: true,
  contextTokens,
}));

/** Of any id, without its `anthropic/`: also of models that are newer, older, or another's behind the same interface. */
export function traitsOf(model: string): ModelTraits {
  if (!model.startsWith("claude-")) return { thinking: "none", maxOutputTokens: 32_000 };
  if (/^claude-(?:2|3|instant)/.test(model)) return { thinking: "none", maxOutputTokens: 4096 };
  if (/^claude-(?:opus|sonnet|haiku)-4(?:-[015])?(?:$|-20|@)/.test(model)) {
    return { thinking: "budget", maxOutputTokens: 32_000 };
  }
  return { thinking: "adaptive", maxOutputTokens: MAX_OUTPUT_TOKENS };
}
