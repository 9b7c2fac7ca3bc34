/**
 * [R7] Questions of a run to its person. Whoever changes one holds the lock of the conversation's row.
 *
 *   pending ─▶ approved | denied     by a person
 *           ─▶ expired               by the database's clock
 *           ─▶ cancelled             the run stops, or has ended
 */
import { sql } from "drizzle-orm";
import type { Announcement, ApprovalStore, Lease, NewApproval, Scope, StoredApproval } from "../ports/store.ts";
import { uuidv7 } from "../protocol/id.ts";
import { type Database, isId, type Transaction } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import { announce, approvalDecided, runUpdated } from "./store.announce.ts";
import { thisMillisecond } from "./store.leases.ts";
import { approvalJson, type RunRow, runFields, toApproval, toRun, toStoredApproval } from "./store.rows.ts";

/** Of one user, or of one conversation, that are shown. */
const MOST_PENDING = 100;

interface ApprovalRow {
  readonly approval: StoredApproval;
}
const rowToApproval = ({ approval }: ApprovalRow): StoredApproval => toStoredApproval(approval);

const insertRows = statement<{ tenantId: string; userId: string; approvals: string }, unknown>(
  "insert_approvals",
  (p) => sql`
    insert into approvals (id, tenant_id, user_id, conversation_id, run_id, message_id, part_index, tool_call_id, tool,
      args, reason, summary, status, requested_at, expires_at)
    select a.id, ${p.tenantId}::uuid, ${p.userId}::uuid, a."conversationId", a."runId", a."messageId", a."partIndex",
      a."toolCallId", a.tool, a.args, a.reason, a.summary, a.status, a."requestedAt", a."expiresAt"
    from jsonb_to_recordset(${p.approvals}::jsonb) as a(id uuid, "conversationId" uuid, "runId" uuid, "messageId" uuid,
      "partIndex" int, "toolCallId" text, tool text, args jsonb, reason text, summary text, status text,
      "requestedAt" timestamptz, "expiresAt" timestamptz)`,
);

const cancelRows = statement<{ runId: string }, ApprovalRow>(
  "cancel_approvals",
  (p) => sql`
    update approvals a set status = 'cancelled', decided_at = now()
    where a.run_id = ${p.runId} and a.status = 'pending'
    returning ${approvalJson} as approval`,
);

/** The run goes on: with an expired lease, so that anybody may claim it, and no attempt is counted. */
const resumeRun = statement<{ runId: string }, RunRow>(
  "resume_run",
  (p) => sql`
    update runs r set status = 'running', owner = null, lease_until = ${thisMillisecond},
      deadline_at = r.deadline_at + (now() - r.waiting_since), waiting_since = null
    where r.id = ${p.runId} and r.status = 'waiting'
    returning ${runFields}`,
);

const lockConversationOf = statement<{ id: string }, unknown>(
  "lock_conversation_of_approval",
  (p) => sql`
    select from conversations
    where id = (select conversation_id from approvals where id = ${p.id})
    for update`,
);
const lockApproval = statement<{ id: string }, ApprovalRow>(
  "lock_approval",
  (p) => sql`
    select ${approvalJson} as approval from approvals a join runs r on r.id = a.run_id
    where a.id = ${p.id}
    for update of r, a`,
);
const decideRow = statement<
  { id: string; status: string; args: string | null; tool: string; remember: boolean; auditId: string; detail: string },
  ApprovalRow
>(
  "decide_approval",
  (p) => sql`
    with remembered as (
      insert into allowed_tools (tenant_id, user_id, tool, created_at)
      select parley_tenant(), parley_user(), ${p.tool}, now() where ${p.remember}::boolean
      on conflict do nothing
    ), audited as (
      insert into audit_log (id, tenant_id, user_id, action, detail)
      values (${p.auditId}, parley_tenant(), parley_user(), 'approval.decided', ${p.detail}::jsonb)
    )
    update approvals a set status = ${p.status}, decided_args = ${p.args}::jsonb, decided_at = now(),
      decided_by = parley_user()
    where a.id = ${p.id} and a.status = 'pending'
    returning ${approvalJson} as approval`,
);

const findApproval = statement<{ id: string }, ApprovalRow>(
  "find_approval",
  (p) => sql`select ${approvalJson} as approval from approvals a where a.id = ${p.id}`,
);
const pendingOfUser = statement<{ limit: number }, ApprovalRow>(
  "pending_approvals",
  (p) => sql`
    select ${approvalJson} as approval from approvals a
    where a.user_id = parley_user() and a.status = 'pending'
    order by a.requested_at, a.id
    limit ${p.limit}`,
);
const pendingOfRun = statement<{ runId: string; limit: number }, ApprovalRow>(
  "pending_approvals_of_run",
  (p) => sql`
    select ${approvalJson} as approval from approvals a
    where a.run_id = ${p.runId} and a.status = 'pending'
    order by a.requested_at, a.part_index, a.id
    limit ${p.limit}`,
);

const overdue = statement<{ limit: number }, { conversationId: string; tenantId: string; userId: string }>(
  "overdue_approvals",
  (p) => sql`
    select distinct a.conversation_id as "conversationId", a.tenant_id as "tenantId", a.user_id as "userId" from (
      select conversation_id, tenant_id, user_id from approvals
      where status = 'pending' and expires_at <= now()
      order by expires_at
      limit ${p.limit}
    ) a`,
);
/** Whoever holds one of them now is asked again later. */
const lockConversations = statement<{ ids: string[] }, { id: string }>(
  "lock_conversations",
  (p) => sql`select id from conversations where id = any(${p.ids}::uuid[]) order by id for update skip locked`,
);
const expireRows = statement<{ conversationIds: string[]; limit: number }, ApprovalRow>(
  "expire_approvals",
  (p) => sql`
    update approvals a set status = 'expired', decided_at = now()
    where a.id in (
      select id from approvals
      where conversation_id = any(${p.conversationIds}::uuid[]) and status = 'pending' and expires_at <= now()
      order by expires_at
      limit ${p.limit})
    returning ${approvalJson} as approval`,
);

/** As they are asked now. */
export const askedNow = ({ runId, conversationId }: Lease, asked: NewApproval, now: string): StoredApproval => {
  const { timeoutMs, ...approval } = asked;
  return {
    ...approval,
    runId,
    conversationId,
    status: "pending",
    requestedAt: now,
    expiresAt: new Date(Date.parse(now) + timeoutMs).toISOString(),
    decidedAt: null,
    decidedBy: null,
    decidedArgs: null,
  };
};

/** Of a run whose rows are locked. */
export async function insertApprovals(
  tx: Transaction,
  { tenantId, userId }: Scope,
  approvals: readonly StoredApproval[],
): Promise<void> {
  if (approvals.length > 0) await tx.run(insertRows, { tenantId, userId, approvals: toJson(approvals) });
}

/** Of a run whose rows are locked. */
export const cancelApprovals = async (tx: Transaction, runId: string): Promise<StoredApproval[]> =>
  (await tx.run(cancelRows, { runId })).map(rowToApproval);

/** Of a run whose rows are locked: what announces that it goes on, if it has waited. */
export const resume = async (tx: Transaction, scope: Scope, runId: string): Promise<Announcement[]> =>
  (await tx.run(resumeRun, { runId })).map((row) => runUpdated(scope, toRun(row)));

/** Those that a reader of a conversation sees: only its active run has any. */
export const pendingApprovals = async (tx: Transaction, runId: string): Promise<StoredApproval[]> =>
  (await tx.run(pendingOfRun, { runId, limit: MOST_PENDING })).map(rowToApproval);

export const createApprovalStore = (database: Database): ApprovalStore => ({
  async find(scope, approvalId) {
    if (!isId(approvalId)) return null;
    const [row] = await database.transaction(scope, (tx) => tx.run(findApproval, { id: approvalId }));
    return row === undefined ? null : toApproval(rowToApproval(row));
  },

  async pending(scope) {
    const rows = await database.transaction(scope, (tx) => tx.run(pendingOfUser, { limit: MOST_PENDING }));
    return rows.map((row) => toApproval(rowToApproval(row)));
  },

  async decide(scope, approvalId, decision) {
    if (!isId(approvalId)) return null;
    return database.transaction(scope, async (tx) => {
      await tx.run(lockConversationOf, { id: approvalId });
      const [locked] = await tx.run(lockApproval, { id: approvalId });
      if (locked === undefined) return null;
      const found = rowToApproval(locked);
      if (found.status !== "pending") return { approval: found, decided: false, announce: [] };
      return decide(tx, scope, found, decision);
    });
  },

  expire(limit) {
    return database.transaction("system", async (tx) => {
      const due = await tx.run(overdue, { limit });
      if (due.length === 0) return [];
      const free = await tx.run(lockConversations, { ids: due.map(({ conversationId }) => conversationId) });
      const locked = new Set(free.map(({ id }) => id));
      const announcements: Announcement[] = [];
      for (const { scope, conversationIds } of byScope(due.filter((row) => locked.has(row.conversationId)))) {
        tx.become(scope);
        announcements.push(...(await expire(tx, scope, conversationIds, limit)));
      }
      return announcements;
    });
  },
});

async function decide(
  tx: Transaction,
  scope: Scope,
  { id, tool, args, runId }: StoredApproval,
  { approve, args: instead, remember }: Parameters<ApprovalStore["decide"]>[2],
) {
  const status = approve ? "approved" : "denied";
  const [row] = await tx.run(decideRow, {
    id,
    status,
    args: approve ? toJson(instead ?? args) : null,
    tool,
    remember: approve && remember,
    auditId: uuidv7(),
    detail: toJson({ approvalId: id, tool, status, edited: approve && instead !== null }),
  });
  if (row === undefined) throw new Error(`Approval ${id} was decided under its lock`);
  const approval = rowToApproval(row);
  const announcements = [approvalDecided(scope, toApproval(approval)), ...(await resume(tx, scope, runId))];
  return { approval, decided: true, announce: await announce(tx, announcements) };
}

async function expire(tx: Transaction, scope: Scope, conversationIds: string[], limit: number) {
  const expired = (await tx.run(expireRows, { conversationIds, limit })).map(rowToApproval);
  const announcements = expired.map((approval) => approvalDecided(scope, toApproval(approval)));
  for (const runId of new Set(expired.map((approval) => approval.runId))) {
    announcements.push(...(await resume(tx, scope, runId)));
  }
  return announce(tx, announcements);
}

function byScope(
  rows: readonly { readonly conversationId: string; readonly tenantId: string; readonly userId: string }[],
): Iterable<{ readonly scope: Scope; readonly conversationIds: string[] }> {
  const groups = new Map<string, { readonly scope: Scope; readonly conversationIds: string[] }>();
  for (const { conversationId, tenantId, userId } of rows) {
    const key = `${tenantId} ${userId}`;
    const group = groups.get(key) ?? { scope: { tenantId, userId }, conversationIds: [] };
    group.conversationIds.push(conversationId);
    groups.set(key, group);
  }
  return groups.values();
}
