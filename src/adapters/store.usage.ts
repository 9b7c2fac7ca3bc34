/** What models took: numbers of a run and of its steps, and a row of `usage` for each call. */
import { type SQL, sql } from "drizzle-orm";

export const usageColumns = sql.raw("input_tokens, output_tokens, cached_input_tokens, reasoning_tokens, cost_micros");

/** The columns' values, from a `Usage` as JSON. */
export const usageValues = (json: SQL): SQL => sql`
  (${json} ->> 'inputTokens')::bigint, (${json} ->> 'outputTokens')::bigint, (${json} ->> 'cachedInputTokens')::bigint,
  (${json} ->> 'reasoningTokens')::bigint, (${json} ->> 'costMicros')::bigint`;

/** One row for each step that has ended and says what its call was; never a second one. */
export const insertCalls = (p: {
  readonly [K in "tenantId" | "userId" | "conversationId" | "runId" | "steps"]: unknown;
}): SQL => sql`
  insert into usage (step_id, tenant_id, user_id, conversation_id, run_id, provider, model, ${usageColumns},
    first_token_ms, duration_ms, created_at)
  select s.id, ${p.tenantId}::uuid, ${p.userId}::uuid, ${p.conversationId}::uuid, ${p.runId}::uuid,
    s.call ->> 'provider', s.call ->> 'model', ${usageValues(sql.raw("s.usage"))},
    round((s.call ->> 'firstTokenMs')::numeric)::int, round((s.call ->> 'durationMs')::numeric)::int, now()
  from json_to_recordset(${p.steps}::json) as s(id uuid, status text, usage json, call json)
  where s.status <> 'running' and s.call is not null
  on conflict (step_id) do nothing`;
