/** Models of OpenAI that are listed; any other id is passed through. */
import type { ModelInfo } from "../protocol/shapes.ts";

/** Of each of them: what it reads at most, of a context of 1,050,000 tokens. */
const CONTEXT = 922_000;

const NAMES = {
  "gpt-6.1-sol": "GPT-6.1 Sol",
  "gpt-6.1-terra": "GPT-6.1 Terra",
  "gpt-6-luna": "GPT-6 Luna",
  "gpt-6-astra": "GPT-6 Astra",
} as const;

export const OPENAI_MODELS: readonly ModelInfo[] = Object.entries(NAMES).map(([id, name]) => ({
  id: `openai/${id}`,
  provider: "openai",
  name,
  available: true,
  images: true,
  contextTokens: CONTEXT,
}));

/** Does it take options of reasoning? Those before GPT-5 that are not of the o series refuse them. */
export const reasons = (model: string): boolean =>
  /^(?:gpt-(?:[5-9]|\d\d)|o\d|codex|computer-use)/.test(model) && !/^gpt-5(?:\.\d)?-chat/.test(model);
