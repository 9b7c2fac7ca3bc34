/** The providers that a server has: one for each key or address that its operator gave, and the demo model. */
import type { ModelProvider } from "../ports/model.ts";
import { createAnthropic } from "./anthropic.ts";
import { createCompatible } from "./compatible.ts";
import { createDemoModel, type DemoOptions } from "./demo.ts";
import { createFoundOllama } from "./found-ollama.ts";
import { createGemini } from "./gemini.ts";
import { createOpenAI } from "./openai.ts";

export interface ProviderKey {
  readonly apiKey: string;
  /** Default: the provider's own address. */
  readonly baseUrl?: string;
}

/** A provider without its key, or its address, is not there. */
export interface ProviderConfig {
  readonly anthropic: ProviderKey | undefined;
  readonly openai: ProviderKey | undefined;
  readonly gemini: ProviderKey | undefined;
  readonly compatible: { readonly baseUrl: string; readonly apiKey?: string } | undefined;
  /** Look for one on this machine. A configured `compatible` has the name that its models would have. */
  readonly findOllama: boolean;
}

export interface Providers {
  /** In the order in which they are listed; the first model of the first one is the default. */
  readonly all: readonly ModelProvider[];
  /** Resolves when those that tell their models themselves have been asked: after some seconds at most. */
  readonly listed: Promise<void>;
}

export function createProviders(config: ProviderConfig, demo: DemoOptions): Providers {
  const { anthropic, openai, gemini } = config;
  const compatible = config.compatible && createCompatible({ name: "compatible", ...config.compatible });
  const all = [
    anthropic && createAnthropic(anthropic),
    openai && createOpenAI(openai),
    gemini && createGemini(gemini),
    compatible ?? (config.findOllama ? createFoundOllama() : undefined),
    createDemoModel(demo),
  ];
  return { all: all.filter((provider) => provider !== undefined), listed: compatible?.listed ?? Promise.resolve() };
}
