/** What a new run meets in its conversation, and how it is written: with what is said to start it, or without. */
import { sql } from "drizzle-orm";
import type { Announcement, Idempotency, Scope } from "../ports/store.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Conversation, Message, Run, RunStatus } from "../protocol/shapes.ts";
import { codeOf } from "./database-errors.ts";
import type { Transaction } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import { insertOutbox } from "./store.announce.ts";
import { insertKey, isKey, type KeyParams, keyParams } from "./store.idempotency.ts";
import { partsBytes } from "./store.page.ts";
import { type Bigint, type ConversationRow, conversationFields, isQueued, questionSeq } from "./store.rows.ts";

/** The conversation whose row this transaction has locked, as a sender meets it. */
export interface State extends ConversationRow {
  readonly currentId: string | null;
  readonly currentStatus: RunStatus | null;
  readonly currentQuestion: string | null;
  readonly currentPosition: Bigint | null;
  /** Queued runs behind the current one. */
  readonly waiting: number;
  readonly lastPosition: Bigint;
  /** A run that waits will give its answer the id that was asked for. */
  readonly promised: boolean;
  readonly method: string | null;
  readonly paramsHash: string | null;
  readonly result: unknown;
}

/** `lateral … offset 0` keeps the planner to one look-up of the current run, whatever indexes there are. */
const readRows = statement<{ conversationId: string; userMessageId: string | null; key: string }, State>(
  "read_state",
  (p) => sql`
    select ${conversationFields}, c.current_run_id as "currentId", current.status as "currentStatus",
      current.user_message_id as "currentQuestion", current.position as "currentPosition",
      (select count(*)::int from runs q
        where q.conversation_id = c.id and ${isQueued("q")} and q.id is distinct from c.current_run_id) as waiting,
      coalesce((select max(q.position) from runs q where q.conversation_id = c.id), 0) as "lastPosition",
      exists (select from runs q where q.assistant_message_id = ${p.userMessageId} and q.status = 'queued') as promised,
      k.method, k.params_hash as "paramsHash", k.result
    from conversations c
      left join lateral (select * from runs r where r.id = c.current_run_id offset 0) current on true
      left join idempotency_keys k on ${isKey(p.key)}
    where c.id = ${p.conversationId} and c.deleted_at is null`,
);

export async function readState(
  tx: Transaction,
  conversationId: string,
  { key }: Idempotency,
  userMessageId: string | null,
): Promise<State | undefined> {
  const [state] = await tx.run(readRows, { conversationId, userMessageId, key });
  return state;
}

interface Turn extends KeyParams {
  readonly conversationId: string;
  readonly userMessageId: string;
  readonly assistantMessageId: string;
  readonly runId: string;
  readonly parentId: string | null;
  /** Null: the question was asked before. */
  readonly parts: string | null;
  readonly bytes: number;
  readonly seq: number;
  readonly position: number;
  readonly placed: boolean;
  readonly model: string;
  readonly deadlineMs: number;
  readonly title: string;
  /** Null where the conversation keeps what it has. */
  readonly headId: string | null;
  readonly currentId: string | null;
  readonly announcements: string;
}

/** [R1, W10] Message, run, key and what announces them: all, or nothing when the key exists. */
const insertRows = statement<Turn, { done: number }>(
  "insert_turn",
  (p) => sql`
    with key as (${insertKey(p)}),
    question as (
      insert into messages
        (id, tenant_id, user_id, conversation_id, parent_id, run_id, seq, role, author, parts, bytes, status, created_at)
      select ${p.userMessageId}::uuid, ${p.tenantId}::uuid, ${p.userId}::uuid, ${p.conversationId}::uuid, ${p.parentId}::uuid,
        ${p.runId}::uuid, ${p.seq}::bigint, 'user', ${p.userId}::text, ${p.parts}::jsonb, ${p.bytes}::int,
        'complete', now()
      from key where ${p.parts}::jsonb is not null
    ),
    run as (
      insert into runs (id, tenant_id, conversation_id, user_id, status, model, user_message_id,
        assistant_message_id, position, placed, deadline_ms, created_at)
      select ${p.runId}::uuid, ${p.tenantId}::uuid, ${p.conversationId}::uuid, ${p.userId}::uuid, 'queued', ${p.model},
        ${p.userMessageId}::uuid, ${p.assistantMessageId}::uuid, ${p.position}::bigint, ${p.placed}::boolean,
        ${p.deadlineMs}::bigint, now()
      from key
    ),
    touched as (
      update conversations c set updated_at = now(), title = ${p.title},
        head_id = coalesce(${p.headId}::uuid, c.head_id),
        current_run_id = coalesce(${p.currentId}::uuid, c.current_run_id)
      from key where c.id = ${p.conversationId}::uuid
    ),
    announced as (${insertOutbox(p.announcements, sql`where exists (select from key)`)})
    select count(*)::int as done from key`,
);

export interface NewTurn {
  readonly run: Run;
  readonly deadlineMs: number;
  /** Its question has its place in the tree; else the claim gives it one. */
  readonly placed: boolean;
  /** What is said to start it; undefined: it answers what was said before. */
  readonly said: Message | undefined;
  /** As it is from now on. */
  readonly conversation: Conversation;
  /** It is the conversation's current run from now on. */
  readonly first: boolean;
  readonly announce: readonly Announcement[];
}

/** False when the key exists, and then nothing was written. `last`: it commits. */
export async function insertTurn(
  tx: Transaction,
  scope: Scope,
  { run, deadlineMs, placed, said, conversation, first, announce }: NewTurn,
  idempotency: Idempotency,
  result: unknown,
  last = false,
): Promise<boolean> {
  const parts = said === undefined ? null : toJson(said.parts);
  const params: Turn = {
    ...keyParams(scope, idempotency, result),
    conversationId: run.conversationId,
    userMessageId: run.userMessageId,
    assistantMessageId: run.assistantMessageId,
    runId: run.id,
    parentId: said?.parentId ?? null,
    parts,
    bytes: parts === null ? 0 : partsBytes(parts),
    seq: questionSeq(run.position),
    position: run.position,
    placed,
    model: run.model,
    deadlineMs,
    title: conversation.title,
    headId: conversation.headMessageId,
    currentId: first ? run.id : null,
    announcements: toJson(announce),
  };
  const [written] = await (last ? tx.last(insertRows, params) : tx.run(insertRows, params));
  return written?.done === 1;
}

/** A run that nobody has claimed. */
export const newRun = (
  fields: Pick<Run, "id" | "conversationId" | "model" | "userMessageId" | "assistantMessageId" | "position">,
  now: string,
): Run => ({
  ...fields,
  status: "queued",
  attempt: 0,
  stopRequested: false,
  usage: { inputTokens: 0, outputTokens: 0 },
  error: null,
  createdAt: now,
  startedAt: null,
  finishedAt: null,
});

const takenId = (cause?: unknown): ParleyError =>
  new ParleyError("INVALID_PARAMS", {
    issues: [{ path: "clientMessageId", expected: "an id that no message has" }],
    cause,
  });

/** The row of that answer could not be written, nor any claim that comes upon it. */
export function refusePromised({ promised }: State): void {
  if (promised) throw takenId();
}

/** The constraint that a statement broke. */
export const brokenConstraint = (error: unknown): string | undefined => {
  const code = codeOf(error);
  return code === "23505" || code === "23503" ? (error as { readonly constraint?: string }).constraint : undefined;
};

/** What a transaction that writes a message rejects with. */
export const refuseTaken = (error: unknown): unknown =>
  brokenConstraint(error) === "messages_pkey" ? takenId(error) : error;
