/**
 * What answers cost. US dollars per million tokens, which is the same number of millionths of a dollar per token.
 *
 * Standard rates, collected on 2026-11-21 from platform.claude.com/docs/en/about-claude/pricing,
 * developers.openai.com/api/docs/pricing and ai.google.dev/gemini-api/docs/pricing, as they stood or were quoted in
 * autumn 2026. They change often; a file of prices (PARLEY_PRICES) goes before them. What `Usage` does not tell apart is counted as plain input: writing to a cache,
 * which costs a quarter more with some. Fees of hosted tools and other service tiers are not counted.
 */
import { z } from "zod";
import type { Usage } from "../protocol/shapes.ts";

const amount = z.number().min(0).max(1e6);
const rates = z.strictObject({
  input: amount,
  /** Of input that was read from a cache; without it, as `input`. */
  cachedInput: amount.optional(),
  output: amount,
});
const price = rates.extend({
  /** A request with more input than `above` tokens is charged as a whole like this. */
  longPrompt: rates.extend({ above: z.int().min(1) }).optional(),
  /** What it costs from that day on, UTC: prices of an introduction end. */
  later: rates.extend({ from: z.iso.date() }).optional(),
});
type Rates = z.infer<typeof rates>;
export type Price = z.infer<typeof price>;

/** By a model's id; one that ends with `*` is for all ids that begin with what stands before it. */
export type PriceTable = ReadonlyMap<string, Price>;

const flat = (input: number, cachedInput: number, output: number): Price => ({ input, cachedInput, output });

/** Above 272,000 tokens OpenAI doubles the input and adds a half to the output. */
const openai = (input: number, cachedInput: number, output: number): Price => ({
  ...flat(input, cachedInput, output),
  longPrompt: { above: 272_000, input: 2 * input, cachedInput: 2 * cachedInput, output: 1.5 * output },
});

/** Doubled from that day on. */
const introduced = (input: number, cachedInput: number, output: number, until: string): Price => ({
  ...flat(input, cachedInput, output),
  later: { from: until, input: 2 * input, cachedInput: 2 * cachedInput, output: 2 * output },
});

const BUILT_IN: PriceTable = new Map<string, Price>([
  ["demo", flat(0, 0, 0)],

  ["anthropic/claude-fable-5-2", flat(8, 0.2, 40)],
  ["anthropic/claude-fable-5-1", flat(10, 0.25, 50)],
  ["anthropic/claude-fable-5", flat(10, 1, 50)],
  ["anthropic/claude-opus-5-5", flat(4, 0.2, 20)],
  ["anthropic/claude-opus-5", flat(5, 0.5, 25)],
  ["anthropic/claude-opus-4-8", flat(5, 0.5, 25)],
  ["anthropic/claude-opus-4-7", flat(5, 0.5, 25)],
  ["anthropic/claude-opus-4-6", flat(5, 0.5, 25)],
  ["anthropic/claude-opus-4-5", flat(5, 0.5, 25)],
  ["anthropic/claude-sonnet-5-5", flat(2, 0.1, 10)],
  ["anthropic/claude-sonnet-5", flat(2, 0.2, 10)],
  ["anthropic/claude-sonnet-4-6", flat(3, 0.3, 15)],
  ["anthropic/claude-sonnet-4-5", flat(3, 0.3, 15)],
  [
    "anthropic/claude-haiku-5-5",
    { ...flat(0.1, 0.01, 0.5), longPrompt: { above: 100_000, input: 0.5, cachedInput: 0.05, output: 2.5 } },
  ],
  ["anthropic/claude-haiku-4-5", flat(1, 0.1, 5)],

  ["openai/gpt-6.2-astra", openai(8, 0.4, 40)],
  ["openai/gpt-6-astra", openai(10, 1, 50)],
  ["openai/gpt-6.1-sol", openai(2, 0.1, 10)],
  ["openai/gpt-6-sol", openai(2, 0.2, 10)],
  ["openai/gpt-6.1-terra", openai(1, 0.05, 5)],
  ["openai/gpt-6-luna", openai(0.1, 0.01, 0.5)],
  ["openai/gpt-5.6-sol", openai(4, 0.4, 20)],
  ["openai/gpt-5.6-terra", openai(2, 0.2, 12)],
  ["openai/gpt-5.6-luna", openai(0.2, 0.02, 1.2)],
  ["openai/gpt-5.4-mini", flat(0.75, 0.075, 4.5)],
  ["openai/gpt-5-mini", flat(0.25, 0.025, 2)],
  ["openai/gpt-5-nano", flat(0.05, 0.005, 0.4)],
  ["openai/gpt-4.1", flat(2, 0.5, 8)],

  ["google/gemini-4-argon", introduced(2, 0.1, 10, "2026-12-01")],
  ["google/gemini-3.8-flash", introduced(0.75, 0.075, 3.75, "2027-01-01")],
  ["google/gemini-3.6-flash", flat(1.5, 0.15, 7.5)],
  ["google/gemini-3.5-flash", flat(1.5, 0.15, 9)],
  ["google/gemini-3.5-flash-lite", flat(0.3, 0.03, 2.5)],
  [
    "google/gemini-3.1-pro-preview",
    { ...flat(2, 0.2, 12), longPrompt: { above: 200_000, input: 4, cachedInput: 0.4, output: 18 } },
  ],
]);

/** The operator's file: an object from ids to prices. Throws a `ZodError` or `SyntaxError` that says what is wrong. */
export const parsePrices = (text: string): PriceTable =>
  new Map(Object.entries(z.record(z.string().min(1), price).parse(JSON.parse(text))));

/**
 * Millionths of a US dollar, whole; undefined for a model whose price is not known. `own` goes before the built-in
 * table; `date` is the time of day in milliseconds.
 */
export function createCost(
  own: PriceTable = new Map(),
  date: () => number = Date.now,
): (model: string, usage: Usage) => number | undefined {
  return (model, usage) => {
    const found = lookUp(own, model) ?? lookUp(BUILT_IN, model);
    return found && costMicros(ratesOf(found, usage.inputTokens, date()), usage);
  };
}

function ratesOf({ longPrompt, later, ...plain }: Price, inputTokens: number, date: number): Rates {
  if (later !== undefined && date >= Date.parse(later.from)) return later;
  return longPrompt !== undefined && inputTokens > longPrompt.above ? longPrompt : plain;
}

function costMicros({ input, cachedInput = input, output }: Rates, usage: Usage): number {
  const { inputTokens, outputTokens, cachedInputTokens = 0 } = usage;
  const cached = Math.min(cachedInputTokens, inputTokens);
  return Math.round((inputTokens - cached) * input + cached * cachedInput + outputTokens * output);
}

/** Newer and other variants of a name (`gpt-5-pro` beside `gpt-5`) cost differently: only a date may follow it. */
const VERSION = /^(?:[-@]\d{8}|-\d{4}-\d\d-\d\d|-latest)$/;

/** The entry of the longest name that fits. */
function lookUp(table: PriceTable, model: string): Price | undefined {
  const exact = table.get(model);
  if (exact !== undefined) return exact;
  let best: Price | undefined;
  let length = -1;
  for (const [key, each] of table) {
    const name = key.endsWith("*") ? key.slice(0, -1) : key;
    if (name.length <= length || !model.startsWith(name)) continue;
    if (name === key && !VERSION.test(model.slice(name.length))) continue;
    best = each;
    length = name.length;
  }
  return best;
}
