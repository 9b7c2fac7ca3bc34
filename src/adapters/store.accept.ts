/**
 * A run of an idle conversation that its process claims as it is accepted: what `insertTurn` and a claim write, by one
 * statement. The sender holds the conversation's lock and has seen that nothing is active or waits [R2, R3].
 */
import { sql } from "drizzle-orm";
import type { Claimed, ClaimTerms, Idempotency, Scope } from "../ports/store.ts";
import type { Message, Part, Run } from "../protocol/shapes.ts";
import type { Transaction } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import { insertOutbox, runStarted } from "./store.announce.ts";
import { insertKey, type KeyParams, keyParams } from "./store.idempotency.ts";
import { thisMillisecond } from "./store.leases.ts";
import { partsBytes } from "./store.page.ts";
import { type Bigint, emptyAnswer, type MessageRow, messageFields, questionSeq, toMessage } from "./store.rows.ts";
import type { NewTurn } from "./store.turns.ts";

interface AcceptParams extends KeyParams {
  readonly conversationId: string;
  readonly userMessageId: string;
  readonly assistantMessageId: string;
  readonly runId: string;
  readonly parentId: string | null;
  readonly parts: string;
  readonly bytes: number;
  readonly seq: number;
  readonly position: number;
  readonly model: string;
  readonly deadlineMs: number;
  readonly title: string;
  readonly owner: string;
  readonly leaseMs: number;
  readonly maxBytes: number;
  readonly announcements: string;
}

/** Of the branch in front of the question, oldest first; a row without a message where there is none. */
type AcceptRow = { readonly fence: Bigint; readonly allowedTools: readonly string[] } & (
  | MessageRow
  | { readonly id: null }
);

/**
 * [R1, R3, R4, W10] Question, claimed run, its answer, key and what announces them: all, or nothing when the key exists.
 * The branch is read as a claim reads it.
 */
const acceptTurn = statement<AcceptParams, AcceptRow>(
  "accept_turn",
  (p) => sql`
    with recursive key as (${insertKey(p)}),
    fenced as (
      update conversations c set updated_at = now(), title = ${p.title}, fence = c.fence + 1,
        head_id = ${p.assistantMessageId}::uuid, current_run_id = ${p.runId}::uuid
      from key where c.id = ${p.conversationId}::uuid
      returning c.fence
    ),
    said as (
      insert into messages
        (id, tenant_id, user_id, conversation_id, parent_id, run_id, seq, role, author, parts, bytes, status, created_at)
      select m.id, ${p.tenantId}::uuid, ${p.userId}::uuid, ${p.conversationId}::uuid, m.parent_id, ${p.runId}::uuid, m.seq,
        m.role, m.author, m.parts, m.bytes, m.status, now()
      from fenced, (values
        (${p.userMessageId}::uuid, ${p.parentId}::uuid, ${p.seq}::bigint, 'user', ${p.userId}::text, ${p.parts}::jsonb,
          ${p.bytes}::int, 'complete'),
        (${p.assistantMessageId}::uuid, ${p.userMessageId}::uuid, ${p.seq}::bigint + 1, 'assistant', ${p.model}, '[]'::jsonb,
          2, 'streaming')
      ) as m(id, parent_id, seq, role, author, parts, bytes, status)
    ),
    run as (
      insert into runs (id, tenant_id, conversation_id, user_id, status, model, user_message_id,
        assistant_message_id, position, placed, attempt, owner, fence, lease_until, deadline_ms, deadline_at, started_at,
        created_at)
      select ${p.runId}::uuid, ${p.tenantId}::uuid, ${p.conversationId}::uuid, ${p.userId}::uuid, 'running', ${p.model},
        ${p.userMessageId}::uuid, ${p.assistantMessageId}::uuid, ${p.position}::bigint, true, 1, ${p.owner}, fenced.fence,
        ${thisMillisecond} + ${p.leaseMs}::float8 * interval '1 ms', ${p.deadlineMs}::bigint,
        now() + ${p.deadlineMs}::bigint * interval '1 ms', now(), now()
      from fenced
    ),
    announced as (${insertOutbox(p.announcements, sql`where exists (select from key)`)}),
    branch as (
      select 0 as depth, ${p.bytes}::bigint + m.bytes as total, m.*
      from (select * from messages q where q.id = ${p.parentId}::uuid offset 0) m
      where ${p.bytes}::bigint + m.bytes <= ${p.maxBytes}
      union all
      select b.depth + 1, b.total + m.bytes, m.*
      from branch b, lateral (select * from messages q where q.id = b.parent_id offset 0) m
      where b.total + m.bytes <= ${p.maxBytes}
    )
    select ${messageFields}, fenced.fence,
      array(select tool from allowed_tools where user_id = ${p.userId}::uuid order by tool) as "allowedTools"
    from fenced left join branch m on true order by m.depth desc`,
);

/** Undefined when the key exists, and then nothing was written. `last`: it commits. */
export async function insertClaimed(
  tx: Transaction,
  scope: Scope,
  { run: queued, deadlineMs, said, conversation, announce }: NewTurn & { readonly said: Message },
  idempotency: Idempotency,
  result: unknown,
  { owner, leaseMs, transcriptBytes }: ClaimTerms,
  last: boolean,
): Promise<Claimed | undefined> {
  const { id: runId, conversationId } = queued;
  const run: Run = { ...queued, status: "running", attempt: 1, startedAt: tx.now };
  const message = emptyAnswer(run, tx.now);
  const started = runStarted(scope, run, message);
  const parts = toJson(said.parts);
  const params: AcceptParams = {
    ...keyParams(scope, idempotency, result),
    conversationId,
    userMessageId: run.userMessageId,
    assistantMessageId: run.assistantMessageId,
    runId,
    parentId: said.parentId,
    parts,
    bytes: partsBytes(parts),
    seq: questionSeq(run.position),
    position: run.position,
    model: run.model,
    deadlineMs,
    title: conversation.title,
    owner,
    leaseMs,
    maxBytes: transcriptBytes,
    announcements: toJson([...announce, started]),
  };
  const rows = await (last ? tx.last(acceptTurn, params) : tx.run(acceptTurn, params));
  const [first] = rows;
  if (first === undefined) return undefined;
  // What is stored, where a character had to be replaced.
  const question = parts.includes("\uFFFD") ? { ...said, parts: JSON.parse(parts) as Part[] } : said;
  const lease = { runId, ...scope, conversationId, fence: Number(first.fence), owner };
  const claimed = {
    lease,
    run,
    steps: [],
    approvals: [],
    allowedTools: first.allowedTools,
    steers: 0,
    message,
    transcript: [...rows.flatMap((row) => (row.id === null ? [] : [toMessage(row)])), question],
    deadlineInMs: deadlineMs,
    takeover: false,
  };
  return { runs: [claimed], announce: [started] };
}
