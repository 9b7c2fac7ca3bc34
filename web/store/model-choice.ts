import type { ModelInfo } from "../../src/protocol/shapes.ts";
import { text } from "../text/text.ts";

export interface ModelChoice {
  /** What it is called. */
  readonly name: string;
  /** What to ask for; undefined: whatever the server thinks best. */
  readonly id: string | undefined;
}

/**
 * The model that answers next: of `wishes`, first to last, the first that can be used. One that the list does not name
 * may be used all the same: providers know more models than they list. Undefined before the list is known.
 */
export function modelChoice(
  models: readonly ModelInfo[] | undefined,
  wishes: readonly (string | null | undefined)[],
): ModelChoice | undefined {
  if (models === undefined) return undefined;
  for (const id of wishes) {
    if (id === null || id === undefined) continue;
    const info = models.find((model) => model.id === id);
    if (info?.available !== false) return { id, name: info?.name ?? id };
  }
  const available = models.filter((model) => model.available);
  const best = available.find(({ demo }) => demo !== true) ?? available[0];
  return best === undefined ? undefined : { id: undefined, name: best.name };
}

export interface ModelGroup {
  readonly provider: string;
  readonly models: readonly ModelInfo[];
}

/** By provider, in the order of the list. */
export function modelGroups(models: readonly ModelInfo[]): readonly ModelGroup[] {
  const groups = new Map<string, ModelInfo[]>();
  for (const model of models) {
    const group = groups.get(model.provider);
    if (group === undefined) groups.set(model.provider, [model]);
    else group.push(model);
  }
  return [...groups].map(([provider, members]) => ({ provider, models: members }));
}

const PROVIDERS: Readonly<Record<string, string>> = {
  anthropic: "Anthropic",
  openai: "OpenAI",
  gemini: "Google",
  google: "Google",
  ollama: "Ollama",
};

export function providerName(provider: string): string {
  if (provider === "demo") return text().composer.builtIn;
  if (provider === "compatible") return text().composer.otherProvider;
  return Object.hasOwn(PROVIDERS, provider) ? (PROVIDERS[provider] ?? provider) : provider;
}
