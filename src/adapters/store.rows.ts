/** Rows as both drivers return them ↔ shapes of the protocol. The aliases are the statements' own: r a run, m … */
import { sql } from "drizzle-orm";
import type { Announcement, Scope } from "../ports/store.ts";
import type { ParleyEvent } from "../protocol/events.ts";
import { uuidv7 } from "../protocol/id.ts";
import type { Conversation, Message, MessageStatus, Part, Run, RunStatus, Step } from "../protocol/shapes.ts";

/** pg gives bigint as text, PGlite as a number. */
type Bigint = string | number;

export const iso = (time: Date): string => time.toISOString();
const isoOrNull = (time: Date | null): string | null => time?.toISOString() ?? null;

export const conversationFields = sql.raw(
  'c.id, c.title, c.model, c.created_at as "createdAt", c.updated_at as "updatedAt"',
);
export interface ConversationRow {
  readonly id: string;
  readonly title: string;
  readonly model: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
export const toConversation = ({ id, title, model, createdAt, updatedAt }: ConversationRow): Conversation => ({
  id,
  title,
  model,
  createdAt: iso(createdAt),
  updatedAt: iso(updatedAt),
});

export const messageFields = sql.raw(
  'm.id, m.conversation_id as "conversationId", m.parent_id as "parentId", m.role, m.author, m.parts, m.status, ' +
    'm.created_at as "createdAt", m.run_id as "runId"',
);
export interface MessageRow {
  readonly id: string;
  readonly conversationId: string;
  readonly parentId: string | null;
  readonly role: Message["role"];
  readonly author: string;
  readonly parts: Part[];
  readonly status: MessageStatus;
  readonly createdAt: Date;
  readonly runId: string | null;
}
export const toMessage = (row: MessageRow): Message => ({
  id: row.id,
  conversationId: row.conversationId,
  parentId: row.parentId,
  role: row.role,
  author: row.author,
  parts: row.parts,
  status: row.status,
  createdAt: iso(row.createdAt),
  runId: row.runId,
});

export const runFields = sql.raw(
  'r.id, r.conversation_id as "conversationId", r.status, r.attempt, r.model, r.user_message_id as "userMessageId", ' +
    'r.assistant_message_id as "assistantMessageId", r.position, r.stop_requested as "stopRequested", ' +
    'r.input_tokens as "inputTokens", r.output_tokens as "outputTokens", r.error, r.created_at as "createdAt", ' +
    'r.started_at as "startedAt", r.finished_at as "finishedAt"',
);
export interface RunRow {
  readonly id: string;
  readonly conversationId: string;
  readonly status: RunStatus;
  readonly attempt: number;
  readonly model: string;
  readonly userMessageId: string;
  readonly assistantMessageId: string;
  readonly position: Bigint;
  readonly stopRequested: boolean;
  readonly inputTokens: Bigint;
  readonly outputTokens: Bigint;
  readonly error: Run["error"];
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}
export const toRun = (row: RunRow): Run => ({
  id: row.id,
  conversationId: row.conversationId,
  status: row.status,
  attempt: row.attempt,
  model: row.model,
  userMessageId: row.userMessageId,
  assistantMessageId: row.assistantMessageId,
  position: Number(row.position),
  stopRequested: row.stopRequested,
  usage: { inputTokens: Number(row.inputTokens), outputTokens: Number(row.outputTokens) },
  error: row.error,
  createdAt: iso(row.createdAt),
  startedAt: isoOrNull(row.startedAt),
  finishedAt: isoOrNull(row.finishedAt),
});

export const stepFields = sql.raw(
  's.id, s.run_id as "runId", s.index, s.kind, s.attempt, s.status, s.input_tokens as "inputTokens", ' +
    's.output_tokens as "outputTokens", s.started_at as "startedAt", s.finished_at as "finishedAt"',
);
export interface StepRow {
  readonly id: string;
  readonly runId: string;
  readonly index: number;
  readonly kind: Step["kind"];
  readonly attempt: number;
  readonly status: Step["status"];
  readonly inputTokens: Bigint;
  readonly outputTokens: Bigint;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}
export const toStep = (row: StepRow): Step => ({
  id: row.id,
  runId: row.runId,
  index: row.index,
  kind: row.kind,
  attempt: row.attempt,
  status: row.status,
  usage: { inputTokens: Number(row.inputTokens), outputTokens: Number(row.outputTokens) },
  startedAt: iso(row.startedAt),
  finishedAt: iso(row.finishedAt),
});

/** Reading order of a run's messages: its question, then its answer; see the schema. */
export const questionSeq = (position: number): number => position * 1024;
export const answerSeq = (position: number): number => position * 1024 + 1;

// ── announcements ───────────────────────────────────────────────────────────────────────────────────────────────

const announcement = (tenantId: string, topic: string, event: ParleyEvent): Announcement => ({
  id: uuidv7(),
  tenantId,
  topic,
  event,
});

export const onConversation = (
  { tenantId }: { readonly tenantId: string },
  conversationId: string,
  event: ParleyEvent,
): Announcement => announcement(tenantId, `conversation:${conversationId}`, event);

export const onUser = ({ tenantId, userId }: Scope, event: ParleyEvent): Announcement =>
  announcement(tenantId, `user:${userId}`, event);

/** Appends `rows`, the announcements' JSON, in their order; `only` may hold a `where` or be empty. */
export const insertOutbox = (rows: unknown, only = sql.empty()) => sql`
  insert into outbox (id, tenant_id, topic, event, created_at)
  select a.id, a."tenantId", a.topic, a.event, now()
  from rows from (jsonb_to_recordset(${rows}::jsonb) as (id uuid, "tenantId" uuid, topic text, event jsonb))
    with ordinality as a(id, "tenantId", topic, event, n)
  ${only}
  order by a.n`;
