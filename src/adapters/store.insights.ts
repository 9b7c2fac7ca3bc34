/**
 * Numbers about a whole tenant, for its owner. Read as `parley_insights`: a role that sees every row of the tenant but
 * no column with somebody's words, and no row at all unless the transaction's user is an owner.
 */
import { type SQL, sql } from "drizzle-orm";
import type { InsightsStore } from "../ports/insights-store.ts";
import type { Insights } from "../protocol/methods/insights.ts";
import type { Database } from "./database.ts";
import { statement } from "./statement.ts";

/** Models, tools and errors that are named: the most used ones. */
const NAMED = 10;

/** From here on the transaction sees what insights may see, of the scope that it has. */
const asInsights = statement<Record<string, never>, { owns: boolean }>(
  "as_insights",
  () => sql`select set_config('role', 'parley_insights', true)`,
);
const owns = statement<Record<string, never>, { owns: boolean }>(
  "owns_tenant",
  () => sql`select parley_owns() as owns`,
);

interface Times {
  /** ISO 8601, as one text with commas. */
  times: string;
  from: string;
  to: string;
}

/** The spans lie between these. */
const bounds = (p: { readonly times: unknown }): SQL => sql`string_to_array(${p.times}, ',')::timestamptz[]`;
const within = (column: SQL, p: { readonly from: unknown; readonly to: unknown }): SQL =>
  sql`${column} >= ${p.from}::timestamptz and ${column} < ${p.to}::timestamptz`;
/** Of a column in milliseconds; as numbers, not as the text that a bigint would come as. */
const percentiles = (column: SQL): SQL =>
  sql`percentile_cont(array[0.5, 0.95]) within group (order by (${column})::float8)`;
const sum = (column: string): SQL => sql`coalesce(sum(${sql.raw(column)}), 0)::float8`;

/** With the span 0: of all of them. */
interface UsageRow {
  readonly span: number;
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedInputTokens: number;
  readonly reasoningTokens: number;
  readonly costMicros: number;
  readonly firstToken: readonly number[] | null;
}

const readUsage = statement<Times, UsageRow>(
  "insights_usage",
  (p) => sql`
    select coalesce(span, 0) as span, count(*)::float8 as calls, ${sum("input_tokens")} as "inputTokens",
      ${sum("output_tokens")} as "outputTokens", ${sum("cached_input_tokens")} as "cachedInputTokens",
      ${sum("reasoning_tokens")} as "reasoningTokens", ${sum("cost_micros")} as "costMicros",
      ${percentiles(sql`first_token_ms`)} as "firstToken"
    from (
      select width_bucket(u.created_at, ${bounds(p)}) as span, u.input_tokens, u.output_tokens, u.cached_input_tokens,
        u.reasoning_tokens, u.cost_micros, u.first_token_ms
      from usage u where ${within(sql`u.created_at`, p)}
    ) as calls
    group by grouping sets ((span), ())`,
);

interface RunRow {
  readonly span: number;
  readonly runs: number;
  readonly completed: number;
  readonly failed: number;
  readonly stopped: number;
  readonly people: number;
  readonly answer: readonly number[] | null;
}

const took = sql`extract(epoch from finished_at - started_at) * 1000`;

const readRuns = statement<Times, RunRow>(
  "insights_runs",
  (p) => sql`
    select coalesce(span, 0) as span, count(*)::float8 as runs, count(distinct user_id)::float8 as people,
      (count(*) filter (where status = 'completed'))::float8 as completed,
      (count(*) filter (where status = 'failed'))::float8 as failed,
      (count(*) filter (where status = 'stopped'))::float8 as stopped,
      ${percentiles(took)} filter (where status = 'completed') as answer
    from (
      select width_bucket(r.created_at, ${bounds(p)}) as span, r.user_id, r.status, r.started_at, r.finished_at
      from runs r where ${within(sql`r.created_at`, p)}
    ) as asked
    group by grouping sets ((span), ())`,
);

type Range = Pick<Times, "from" | "to">;
type Model = Insights["models"][number];
type Tool = Insights["tools"][number];
type Failure = Insights["errors"][number];

const readModels = statement<Range & { limit: number }, Model>(
  "insights_models",
  (p) => sql`
    select u.model, count(*)::float8 as calls, ${sum("u.input_tokens")} as "inputTokens",
      ${sum("u.output_tokens")} as "outputTokens", ${sum("u.cost_micros")} as "costMicros",
      percentile_cont(0.5) within group (order by u.first_token_ms::float8) as "firstTokenP50",
      percentile_cont(0.5) within group (order by u.duration_ms::float8) as "durationP50"
    from usage u where ${within(sql`u.created_at`, p)}
    group by u.model order by calls desc, u.model limit ${p.limit}`,
);

const readTools = statement<Range & { limit: number }, Tool>(
  "insights_tools",
  (p) => sql`
    select s.name, count(*)::float8 as calls, (count(*) filter (where s.status = 'failed'))::float8 as failed,
      percentile_cont(0.5) within group (
        order by (extract(epoch from s.finished_at - s.started_at) * 1000)::float8) as "durationP50"
    from steps s where s.kind = 'tool' and ${within(sql`s.started_at`, p)}
    group by s.name order by calls desc, s.name limit ${p.limit}`,
);

const readErrors = statement<Range & { limit: number }, Failure>(
  "insights_errors",
  (p) => sql`
    select coalesce(r.error ->> 'code', '') as code, count(*)::float8 as count
    from runs r where r.status = 'failed' and ${within(sql`r.created_at`, p)}
    group by 1 order by count desc, code limit ${p.limit}`,
);

export const createInsightsStore = (database: Pick<Database, "transaction">): InsightsStore => ({
  read: (scope, times) =>
    database.transaction(
      scope,
      async (tx) => {
        await tx.run(asInsights, {});
        const [user] = await tx.run(owns, {});
        if (user?.owns !== true) return null;
        const range = { from: times[0] ?? "", to: times.at(-1) ?? "" };
        const all = { ...range, times: times.join() };
        const [usage, runs] = [await tx.run(readUsage, all), await tx.run(readRuns, all)];
        const most = { ...range, limit: NAMED };
        return {
          totals: totalsOf(usage, runs),
          series: seriesOf(usage, runs, times.length - 1),
          models: await tx.run(readModels, most),
          tools: await tx.run(readTools, most),
          errors: await tx.run(readErrors, most),
        };
      },
      { snapshot: true },
    ),
});

const latencyOf = (percentile: readonly number[] | null | undefined): Insights["totals"]["answer"] => ({
  p50: percentile?.[0] ?? null,
  p95: percentile?.[1] ?? null,
});

function totalsOf(usage: readonly UsageRow[], runs: readonly RunRow[]): Insights["totals"] {
  const calls = usage.find(({ span }) => span === 0);
  const asked = runs.find(({ span }) => span === 0);
  return {
    runs: asked?.runs ?? 0,
    completed: asked?.completed ?? 0,
    failed: asked?.failed ?? 0,
    stopped: asked?.stopped ?? 0,
    people: asked?.people ?? 0,
    calls: calls?.calls ?? 0,
    inputTokens: calls?.inputTokens ?? 0,
    outputTokens: calls?.outputTokens ?? 0,
    cachedInputTokens: calls?.cachedInputTokens ?? 0,
    reasoningTokens: calls?.reasoningTokens ?? 0,
    costMicros: calls?.costMicros ?? 0,
    firstToken: latencyOf(calls?.firstToken),
    answer: latencyOf(asked?.answer),
  };
}

function seriesOf(usage: readonly UsageRow[], runs: readonly RunRow[], length: number): Insights["series"] {
  const calls = new Map(usage.map((row) => [row.span, row]));
  const asked = new Map(runs.map((row) => [row.span, row]));
  const spans = Array.from({ length }, (_, i) => i + 1);
  const ofCalls = (key: "calls" | "inputTokens" | "outputTokens" | "costMicros"): number[] =>
    spans.map((span) => calls.get(span)?.[key] ?? 0);
  const ofRuns = (key: "runs" | "failed" | "stopped"): number[] => spans.map((span) => asked.get(span)?.[key] ?? 0);
  return {
    runs: ofRuns("runs"),
    failed: ofRuns("failed"),
    stopped: ofRuns("stopped"),
    calls: ofCalls("calls"),
    inputTokens: ofCalls("inputTokens"),
    outputTokens: ofCalls("outputTokens"),
    costMicros: ofCalls("costMicros"),
    firstTokenP50: spans.map((span) => latencyOf(calls.get(span)?.firstToken).p50),
    firstTokenP95: spans.map((span) => latencyOf(calls.get(span)?.firstToken).p95),
    answerP50: spans.map((span) => latencyOf(asked.get(span)?.answer).p50),
    answerP95: spans.map((span) => latencyOf(asked.get(span)?.answer).p95),
  };
}
