import { z } from "zod";
import { time } from "../shapes.ts";

/** Of an answer or of a call, in milliseconds; null where nothing was counted. */
const latency = z.object({ p50: z.number().nullable(), p95: z.number().nullable() });
const spans = z.array(z.number());

/** A number for each span of time, in the order of the spans. */
const series = z.object({
  runs: spans,
  failed: spans,
  stopped: spans,
  calls: spans,
  inputTokens: spans,
  outputTokens: spans,
  costMicros: spans,
  firstTokenP50: z.array(z.number().nullable()),
  firstTokenP95: z.array(z.number().nullable()),
  answerP50: z.array(z.number().nullable()),
  answerP95: z.array(z.number().nullable()),
});

const totals = z.object({
  runs: z.number(),
  completed: z.number(),
  failed: z.number(),
  stopped: z.number(),
  people: z.number().describe("Whose messages were answered."),
  calls: z.number().describe("Calls of models."),
  inputTokens: z.number(),
  outputTokens: z.number(),
  cachedInputTokens: z.number(),
  reasoningTokens: z.number(),
  costMicros: z.number().describe("Millionths of a US dollar."),
  firstToken: latency.describe("From a call of a model to its first token."),
  answer: latency.describe("From the start of a run to its end, of those that were completed."),
});

export const insights = z.object({
  totals,
  series,
  models: z.array(
    z.object({
      model: z.string(),
      calls: z.number(),
      inputTokens: z.number(),
      outputTokens: z.number(),
      costMicros: z.number(),
      firstTokenP50: z.number().nullable(),
      durationP50: z.number().nullable(),
    }),
  ),
  tools: z.array(
    z.object({ name: z.string(), calls: z.number(), failed: z.number(), durationP50: z.number().nullable() }),
  ),
  errors: z.array(z.object({ code: z.string(), count: z.number() })),
});
export type Insights = z.infer<typeof insights>;

const MAX_DAYS = 400;

/** The moments between which spans lie, which the caller chooses: its days are those of its own time zone. */
const times = z
  .array(time)
  .min(2)
  .max(201)
  .refine((all) => all.every((at, i) => i === 0 || Date.parse(all[i - 1] ?? "") < Date.parse(at)), "not ascending")
  .refine(
    (all) => Date.parse(all.at(-1) ?? "") - Date.parse(all[0] ?? "") <= MAX_DAYS * 86_400_000,
    `more than ${MAX_DAYS} days`,
  );

export const insightsMethods = {
  /** Usage, cost, latency and errors of the whole tenant between these times: a span from each to the next. For its owner. */
  "insights.get": { params: z.strictObject({ times }), result: z.object({ insights }) },
} as const;
