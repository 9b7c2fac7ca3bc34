/** Numbers that look like those of a small team, for pictures of the insights page. Always the same. */
import type { Insights } from "../src/protocol/methods/insights.ts";

/** `bounds`: of the spans, in milliseconds since 1970. */
export function aWeek(bounds: readonly number[]): Insights {
  const spans = bounds.slice(0, -1);
  const each = (work: (at: number, i: number) => number): number[] => spans.map((at, i) => Math.round(work(at, i)));
  const wave = (i: number, of: number): number => (1 + Math.sin(i * of + 1)) / 2;
  /** Of a working day, and some of the evening. */
  const busy = (at: number, i: number): number => {
    const time = new Date(at);
    const weekend = time.getDay() % 6 === 0 ? 0.25 : 1;
    return ([0.05, 0.9, 1, 0.35][Math.floor(time.getHours() / 6)] ?? 0) * weekend * (0.7 + 0.3 * wave(i, 2.3));
  };
  const runs = each((at, i) => 64 * busy(at, i));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const failed = each((_, i) => (i % 9 === 5 ? 2 : 0));
  const inputTokens = each((_, i) => (runs[i] ?? 0) * 2_300);
  const outputTokens = each((_, i) => (runs[i] ?? 0) * 620);
  const costMicros = each((_, i) => (inputTokens[i] ?? 0) * 3 + (outputTokens[i] ?? 0) * 15);
  const some = (work: (i: number) => number): (number | null)[] =>
    runs.map((count, i) => (count === 0 ? null : Math.round(work(i))));
  const all = sum(runs);
  return {
    totals: {
      runs: all,
      completed: all - sum(failed) - 12,
      failed: sum(failed),
      stopped: 12,
      people: 9,
      calls: all * 2,
      inputTokens: sum(inputTokens),
      outputTokens: sum(outputTokens),
      cachedInputTokens: Math.round(sum(inputTokens) * 0.4),
      reasoningTokens: 0,
      costMicros: sum(costMicros),
      firstToken: { p50: 420, p95: 1_480 },
      answer: { p50: 5_200, p95: 19_400 },
    },
    series: {
      runs,
      failed,
      stopped: spans.map(() => 0),
      calls: runs.map((count) => count * 2),
      inputTokens,
      outputTokens,
      costMicros,
      firstTokenP50: some((i) => 380 + 90 * wave(i, 1.7)),
      firstTokenP95: some((i) => 1_150 + 600 * wave(i, 0.9)),
      answerP50: some((i) => 4_600 + 1_200 * wave(i, 1.3)),
      answerP95: some((i) => 15_000 + 8_000 * wave(i, 0.7)),
    },
    models: [
      ["anthropic/large", 0.7],
      ["openai/small", 0.3],
    ].map(([model, share]) => ({
      model: String(model),
      calls: Math.round(all * 2 * Number(share)),
      inputTokens: Math.round(sum(inputTokens) * Number(share)),
      outputTokens: Math.round(sum(outputTokens) * Number(share)),
      costMicros: Math.round(sum(costMicros) * Number(share)),
      firstTokenP50: 420,
      durationP50: 5_200,
    })),
    tools: [
      { name: "research", calls: 214, failed: 3, durationP50: 3_100 },
      { name: "file_read", calls: 96, failed: 0, durationP50: 12 },
    ],
    errors: [{ code: "MODEL_FAILED", count: sum(failed) }],
  };
}
