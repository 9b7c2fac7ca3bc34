/** What an answer took, in words. */
import type { Usage } from "../../../src/protocol/shapes.ts";
import { number } from "../../text/locale.ts";
import { text } from "../../text/text.ts";

const MICROS = 1_000_000;

/** "$0.12"; small sums with two digits that mean something; undefined for nothing. */
export function costText(micros: number | undefined): string | undefined {
  if (micros === undefined || micros <= 0) return undefined;
  const dollars = micros / MICROS;
  if (dollars >= 0.1) return money(dollars, 2);
  const rounded = Number(dollars.toPrecision(2));
  return money(rounded, Math.min(6, 1 - Math.floor(Math.log10(rounded))));
}

const money = (dollars: number, digits: number): string =>
  number(dollars, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });

/** "842", "1.2k", "3.4M". */
export function countText(count: number): string {
  if (count < 1_000) return number(count);
  const [value, unit] =
    count < 999_500 ? [count / 1_000, text().usage.thousand] : [count / 1_000_000, text().usage.million];
  return `${number(value, { maximumFractionDigits: value < 9.95 ? 1 : 0 })}${unit}`;
}

/** "1.2k tokens · $0.01"; undefined where nothing was counted. */
export function usageText({ inputTokens, outputTokens, costMicros }: Usage): string | undefined {
  const tokens = inputTokens + outputTokens;
  if (tokens === 0) return undefined;
  const cost = costText(costMicros);
  const counted = text().usage.tokens(tokens, countText(tokens));
  return cost === undefined ? counted : `${counted} · ${cost}`;
}

/** Names and numbers, the whole first and what is part of it after. */
export function usageRows(usage: Usage): readonly (readonly [name: string, value: string, part: boolean])[] {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens, costMicros } = usage;
  const words = text().usage;
  const rows: [string, string, boolean][] = [[words.read, number(inputTokens), false]];
  if (cachedInputTokens !== undefined && cachedInputTokens > 0)
    rows.push([words.cached, number(cachedInputTokens), true]);
  rows.push([words.written, number(outputTokens), false]);
  if (reasoningTokens !== undefined && reasoningTokens > 0) rows.push([words.thinking, number(reasoningTokens), true]);
  const cost = costText(costMicros);
  if (cost !== undefined) rows.push([words.cost, cost, false]);
  return rows;
}
