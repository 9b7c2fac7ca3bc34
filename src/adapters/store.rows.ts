/** Rows as both drivers return them ↔ shapes of the protocol. The aliases are the statements' own: r a run, m … */
import { sql } from "drizzle-orm";
import type { StoredApproval, StoredStep } from "../ports/store.ts";
import type { Approval, Conversation, Message, Part, Run, Step, Usage } from "../protocol/shapes.ts";

/** pg gives bigint as text, PGlite as a number. */
export type Bigint = string | number;

export const iso = (time: Date): string => time.toISOString();
const isoOrNull = (time: Date | null): string | null => time?.toISOString() ?? null;

// ── what models took ────────────────────────────────────────────────────────────────────────────────────────────

const usageFields = (alias: string): string =>
  `${alias}.input_tokens as "inputTokens", ${alias}.output_tokens as "outputTokens", ` +
  `${alias}.cached_input_tokens as "cachedInputTokens", ${alias}.reasoning_tokens as "reasoningTokens", ` +
  `${alias}.cost_micros as "costMicros"`;

interface UsageRow {
  readonly inputTokens: Bigint;
  readonly outputTokens: Bigint;
  readonly cachedInputTokens: Bigint | null;
  readonly reasoningTokens: Bigint | null;
  readonly costMicros: Bigint | null;
}

const toUsage = (row: UsageRow): Usage => ({
  inputTokens: Number(row.inputTokens),
  outputTokens: Number(row.outputTokens),
  ...(row.cachedInputTokens === null ? {} : { cachedInputTokens: Number(row.cachedInputTokens) }),
  ...(row.reasoningTokens === null ? {} : { reasoningTokens: Number(row.reasoningTokens) }),
  ...(row.costMicros === null ? {} : { costMicros: Number(row.costMicros) }),
});

/** What was added to `before`; a number that only one of them has counts from 0. */
export function usageSince(before: Usage | null, now: Usage): Usage {
  if (before === null) return now;
  const added: Usage = {
    inputTokens: now.inputTokens - before.inputTokens,
    outputTokens: now.outputTokens - before.outputTokens,
  };
  for (const key of ["cachedInputTokens", "reasoningTokens", "costMicros"] as const) {
    if (now[key] !== undefined) added[key] = now[key] - (before[key] ?? 0);
  }
  return added;
}

/** `provider/name`, or a provider with one model: `demo`. */
export function modelOf(id: string): { readonly provider: string; readonly model: string } {
  const slash = id.indexOf("/");
  return slash < 0 ? { provider: id, model: id } : { provider: id.slice(0, slash), model: id.slice(slash + 1) };
}

// ── conversations and messages ──────────────────────────────────────────────────────────────────────────────────

export const conversationFields = sql.raw(
  'c.id, c.title, c.model, c.head_id as "headMessageId", c.created_at as "createdAt", c.updated_at as "updatedAt", ' +
    'c.pinned_at as "pinnedAt", c.archived_at as "archivedAt", c.folder_id as "folderId"',
);
export interface ConversationRow extends Pick<Conversation, "id" | "title" | "model" | "headMessageId"> {
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly pinnedAt: Date | null;
  readonly archivedAt: Date | null;
  readonly folderId: string | null;
}
export const toConversation = (row: ConversationRow): Conversation => ({
  id: row.id,
  title: row.title,
  model: row.model,
  headMessageId: row.headMessageId,
  createdAt: iso(row.createdAt),
  updatedAt: iso(row.updatedAt),
  ...(row.pinnedAt === null ? {} : { pinnedAt: iso(row.pinnedAt) }),
  ...(row.archivedAt === null ? {} : { archivedAt: iso(row.archivedAt) }),
  ...(row.folderId === null ? {} : { folderId: row.folderId }),
});

export const messageFields = sql.raw(
  'm.id, m.conversation_id as "conversationId", m.parent_id as "parentId", m.role, m.author, m.parts, m.status, ' +
    'm.created_at as "createdAt", m.run_id as "runId", m.plan, m.usage, m.error',
);
export interface MessageRow extends Omit<Message, "createdAt" | "plan" | "usage" | "error"> {
  readonly createdAt: Date;
  readonly plan: NonNullable<Message["plan"]> | null;
  readonly usage: Usage | null;
  readonly error: NonNullable<Message["error"]> | null;
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
  ...(row.plan === null ? {} : { plan: row.plan }),
  ...(row.usage === null ? {} : { usage: row.usage }),
  ...(row.error === null ? {} : { error: row.error }),
});

/** A person's message; `parentId` is null for the first one and for one that waits. */
export const saidMessage = (
  fields: Pick<Message, "id" | "conversationId" | "parentId" | "author" | "createdAt" | "runId"> & {
    readonly parts: Part[];
  },
): Message => ({ ...fields, role: "user", status: "complete" });

/** An answer that begins. */
export const emptyAnswer = (run: Run, createdAt: string): Message => ({
  id: run.assistantMessageId,
  conversationId: run.conversationId,
  parentId: run.userMessageId,
  role: "assistant",
  author: run.model,
  parts: [],
  status: "streaming",
  createdAt,
  runId: run.id,
});

// ── runs and steps ──────────────────────────────────────────────────────────────────────────────────────────────

export const runFields = sql.raw(
  'r.id, r.conversation_id as "conversationId", r.status, r.attempt, r.model, r.user_message_id as "userMessageId", ' +
    'r.assistant_message_id as "assistantMessageId", r.position, r.stop_requested as "stopRequested", ' +
    `${usageFields("r")}, r.error, r.created_at as "createdAt", r.started_at as "startedAt", ` +
    'r.finished_at as "finishedAt"',
);
export interface RunRow extends UsageRow, Omit<Run, "position" | "usage" | "createdAt" | "startedAt" | "finishedAt"> {
  readonly position: Bigint;
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
  usage: toUsage(row),
  error: row.error,
  createdAt: iso(row.createdAt),
  startedAt: isoOrNull(row.startedAt),
  finishedAt: isoOrNull(row.finishedAt),
});

export const stepFields = sql.raw(
  's.id, s.run_id as "runId", s.index, s.kind, s.name, s.tool_call_id as "toolCallId", s.attempt, s.status, ' +
    `${usageFields("s")}, s.started_at as "startedAt", s.finished_at as "finishedAt"`,
);
export interface StepRow extends UsageRow, Omit<Step, "toolCallId" | "usage" | "startedAt" | "finishedAt"> {
  readonly toolCallId: string | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
}
export const toStep = (row: StepRow): Step => ({
  id: row.id,
  runId: row.runId,
  index: row.index,
  kind: row.kind,
  name: row.name,
  ...(row.toolCallId === null ? {} : { toolCallId: row.toolCallId }),
  attempt: row.attempt,
  status: row.status,
  usage: toUsage(row),
  startedAt: iso(row.startedAt),
  finishedAt: isoOrNull(row.finishedAt),
});
export interface StoredStepRow extends StepRow {
  readonly answer: NonNullable<StoredStep["answer"]> | null;
  readonly continuation: unknown;
}
export const toStoredStep = (row: StoredStepRow): StoredStep => ({
  ...toStep(row),
  ...(row.answer === null ? {} : { answer: row.answer }),
  ...(row.continuation === null ? {} : { continuation: row.continuation }),
});

/** In the words of the index `runs_queue`. */
export const isQueued = (alias: string) => sql.raw(`${alias}.status = 'queued' and ${alias}.started_at is null`);

/** First seq of a run's messages: its question's; see the schema. */
export const questionSeq = (position: number): number => position * 1024;
/** Messages of a run have a lower seq. */
export const seqAfter = (position: number): number => (position + 1) * 1024;

// ── approvals ───────────────────────────────────────────────────────────────────────────────────────────────────

/** As one jsonb value, so that a run's come with another row; times then are text. */
export const approvalJson = sql.raw(
  `jsonb_build_object('id', a.id, 'conversationId', a.conversation_id, 'runId', a.run_id, 'messageId', a.message_id,
    'partIndex', a.part_index, 'toolCallId', a.tool_call_id, 'tool', a.tool, 'args', a.args, 'reason', a.reason,
    'summary', a.summary, 'status', a.status, 'requestedAt', a.requested_at, 'expiresAt', a.expires_at,
    'decidedAt', a.decided_at, 'decidedBy', a.decided_by, 'decidedArgs', a.decided_args)`,
);

const isoText = (time: string): string => new Date(time).toISOString();

export const toStoredApproval = (json: StoredApproval): StoredApproval => ({
  ...json,
  requestedAt: isoText(json.requestedAt),
  expiresAt: isoText(json.expiresAt),
  decidedAt: json.decidedAt === null ? null : isoText(json.decidedAt),
});

/** As people see it. */
export function toApproval(stored: StoredApproval): Approval {
  const { decidedArgs: _decidedArgs, ...approval } = stored;
  return approval;
}
