/** What an answer took, in words. */
import type { Usage } from "../../../src/protocol/shapes.ts";

const MICROS = 1_000_000;

/** "$0.12"; small sums with two digits that mean something; undefined for nothing. */
export function costText(micros: number | undefined): string | undefined {
  if (micros === undefined || micros <= 0) return undefined;
  const dollars = micros / MICROS;
  if (dollars >= 0.1) return `$${dollars.toFixed(2)}`;
  const rounded = Number(dollars.toPrecision(2));
  return `$${rounded.toFixed(Math.min(6, 1 - Math.floor(Math.log10(rounded))))}`;
}

/** "842", "1.2k", "3.4M". */
export function countText(count: number): string {
  if (count < 1_000) return String(count);
  const [value, unit] = count < 999_500 ? [count / 1_000, "k"] : [count / 1_000_000, "M"];
  return `${value < 9.95 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)}${unit}`;
}

/** "1.2k tokens · $0.01"; undefined where nothing was counted. */
export function usageText({ inputTokens, outputTokens, costMicros }: Usage): string | undefined {
  const tokens = inputTokens + outputTokens;
  if (tokens === 0) return undefined;
  const cost = costText(costMicros);
  const text = tokens === 1 ? "1 token" : `${countText(tokens)} tokens`;
  return cost === undefined ? text : `${text} · ${cost}`;
}

/** Names and numbers, the whole first and what is part of it after. */
export function usageRows(usage: Usage): readonly (readonly [name: string, value: string, part: boolean])[] {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens, costMicros } = usage;
  const rows: [string, string, boolean][] = [["Read", inputTokens.toLocaleString(), false]];
  if (cachedInputTokens !== undefined && cachedInputTokens > 0)
    rows.push(["of it from the cache", cachedInputTokens.toLocaleString(), true]);
  rows.push(["Written", outputTokens.toLocaleString(), false]);
  if (reasoningTokens !== undefined && reasoningTokens > 0)
    rows.push(["of it thinking", reasoningTokens.toLocaleString(), true]);
  const cost = costText(costMicros);
  if (cost !== undefined) rows.push(["Cost", cost, false]);
  return rows;
}
