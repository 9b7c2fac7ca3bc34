import { sql } from "drizzle-orm";
import type { Announcement, Committed, JournalWrite, Lease, RunStore, StoredApproval } from "../ports/store.ts";
import type { MessageStatus, Part, Run } from "../protocol/shapes.ts";
import { type Database, isId, type Transaction } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import { insertOutbox } from "./store.announce.ts";
import { askedNow, cancelApprovals, insertApprovals } from "./store.approvals.ts";
import { eventsOf } from "./store.journal-events.ts";
import { lockOwnRun, type OwnRun } from "./store.own-run.ts";
import { partsBytes } from "./store.page.ts";
import { isQueued, toRun, toStoredApproval, usageSince } from "./store.rows.ts";
import { promoteSteers } from "./store.steers.ts";
import { withTool } from "./store.tool-transaction.ts";
import { insertCalls, usageColumns, usageValues } from "./store.usage.ts";

interface Write {
  readonly runId: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly conversationId: string;
  readonly messageId: string;
  readonly steps: string;
  readonly parts: string;
  readonly bytes: number;
  readonly messageStatus: MessageStatus;
  readonly messageUsage: string | null;
  readonly error: string | null;
  readonly status: Run["status"];
  readonly attempt: number;
  readonly usage: string;
  readonly announcements: string;
}

/** Steps, answer, run, calls and what announces them. The conversation goes on with its next run where this one ends. */
const writeJournal = statement<Write, { readonly next: boolean }>(
  "write_journal",
  (p) => sql`
    with written_steps as (
      insert into steps (id, tenant_id, user_id, run_id, index, kind, name, tool_call_id, attempt, status,
        ${usageColumns}, answer, continuation, started_at, finished_at)
      select s.id, ${p.tenantId}::uuid, ${p.userId}::uuid, ${p.runId}::uuid, s.index, s.kind, s.name, s."toolCallId",
        s.attempt, s.status, ${usageValues(sql.raw("s.usage"))}, s.answer, s.continuation, s."startedAt", s."finishedAt"
      from json_to_recordset(${p.steps}::json) as s(
        id uuid, index int, kind text, name text, "toolCallId" text, attempt int, status text, usage json, answer jsonb,
        continuation json, "startedAt" timestamptz, "finishedAt" timestamptz)
      on conflict (id) do update set name = excluded.name, attempt = excluded.attempt, status = excluded.status,
        input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
        cached_input_tokens = excluded.cached_input_tokens, reasoning_tokens = excluded.reasoning_tokens,
        cost_micros = excluded.cost_micros, answer = excluded.answer, continuation = excluded.continuation,
        started_at = excluded.started_at, finished_at = excluded.finished_at
    ), calls as (${insertCalls(p)}),
    answer as (
      update messages m set parts = ${p.parts}::jsonb, bytes = ${p.bytes}::int, status = ${p.messageStatus},
        usage = ${p.messageUsage}::jsonb, error = ${p.error}::jsonb
      where m.id = ${p.messageId}
    ), announced as (${insertOutbox(p.announcements)}),
    next as (
      update conversations c set current_run_id = (
        select n.id from runs n where n.conversation_id = c.id and ${isQueued("n")} order by n.position limit 1)
      where c.id = ${p.conversationId} and ${p.status}::text not in ('running', 'waiting')
      returning c.current_run_id
    )
    update runs r set status = ${p.status}, attempt = ${p.attempt}::int, error = ${p.error}::jsonb,
      (${usageColumns}) = (select ${usageValues(sql`${p.usage}::json`)}),
      owner = case when ${p.status}::text = 'running' then r.owner end,
      lease_until = case when ${p.status}::text = 'running' then r.lease_until end,
      waiting_since = case when ${p.status}::text = 'waiting' then now() end,
      finished_at = case when ${p.status}::text not in ('running', 'waiting') then now() end
    where r.id = ${p.runId}
    returning exists (select from next where current_run_id is not null) as next`,
);

const messageStatus: Readonly<Record<NonNullable<JournalWrite["end"]>["status"], MessageStatus>> = {
  completed: "complete",
  stopped: "stopped",
  failed: "failed",
};

export const createJournalStore = (database: Database): Pick<RunStore, "commit" | "commitWith"> => ({
  async commit(lease, write) {
    if (!isId(lease.runId) || !isId(lease.conversationId)) return FENCED;
    return database.transaction(
      lease,
      async (tx) => {
        const own = await lockOwnRun(tx, lease);
        return own === undefined ? FENCED : journal(tx, lease, own, write, []);
      },
      { lock: lease.conversationId },
    );
  },

  async commitWith(lease, work) {
    if (!isId(lease.runId) || !isId(lease.conversationId)) return FENCED;
    return withTool(database, lease, async (tx, runTool) => {
      const own = await lockOwnRun(tx, lease);
      if (own === undefined) return FENCED;
      const { write, announcements } = await runTool(own.assistantMessageId, work);
      return journal(tx, lease, own, write, announcements);
    });
  },
});

const FENCED = { ok: false, reason: "FENCED" } as const;

const isPending = ({ status }: StoredApproval): boolean => status === "pending";

/** [R7] A decision that came before its run could wait for it would wake nobody. */
function mayWait(approvals: readonly StoredApproval[], parts: readonly Part[]): boolean {
  const waiting = new Set(
    parts.flatMap((part) => (part.type === "tool" && part.status === "waiting" ? (part.approvalId ?? []) : [])),
  );
  return approvals.some(isPending) && approvals.every((approval) => isPending(approval) || !waiting.has(approval.id));
}

/** What is written before the journal itself: new questions, and the end of those that nobody needs to answer. */
async function writeApprovals(
  tx: Transaction,
  lease: Lease,
  own: OwnRun,
  { approvals = [] }: JournalWrite,
  ends: boolean,
) {
  const known = (own.approvals ?? []).map(toStoredApproval);
  // A repeat of a commit whose answer was lost asks nothing again.
  const asked = approvals
    .filter(({ id }) => known.every((approval) => approval.id !== id))
    .map((approval) => askedNow(lease, approval, tx.now));
  await insertApprovals(tx, lease, asked);
  const all = [...known, ...asked];
  const over = ends || own.stopRequested;
  const cancelled = over && all.some(isPending) ? await cancelApprovals(tx, lease.runId) : [];
  return { asked, cancelled, all: all.map((approval) => cancelled.find(({ id }) => id === approval.id) ?? approval) };
}

async function journal(
  tx: Transaction,
  lease: Lease,
  own: OwnRun,
  write: JournalWrite,
  before: readonly Announcement[],
): Promise<Committed> {
  const { runId, tenantId, userId, conversationId } = lease;
  const json = toJson(write.parts);
  // Readers get what is stored, where a character had to be replaced.
  const parts = json.includes("\uFFFD") ? (JSON.parse(json) as Part[]) : write.parts;
  const end = write.end?.status === "completed" && own.steers > 0 ? undefined : write.end;
  const { asked, cancelled, all } = await writeApprovals(tx, lease, own, write, end !== undefined);
  const waiting = write.wait === true && end === undefined && mayWait(all, parts);

  const was = toRun(own);
  const stepped = end === undefined && write.steps.some(({ status }) => status === "completed");
  const run: Run = {
    ...was,
    status: end?.status ?? (waiting ? "waiting" : "running"),
    // A finished step resets the attempts [R6]; the last commit leaves them as what it took.
    attempt: stepped ? 1 : was.attempt,
    usage: write.usage,
    error: end?.status === "failed" ? { code: end.code, message: end.message } : null,
    finishedAt: end === undefined ? null : tx.now,
  };
  const status = end === undefined ? "streaming" : messageStatus[end.status];
  const announcements = [...before, ...eventsOf({ lease, run, status, parts, own, write, asked, cancelled })];
  const promotes = end !== undefined && own.steers > 0;
  const params: Write = {
    runId,
    tenantId,
    userId,
    conversationId,
    messageId: run.assistantMessageId,
    steps: toJson(write.steps),
    parts: json,
    bytes: partsBytes(json),
    messageStatus: status,
    messageUsage: end === undefined ? null : toJson(usageSince(own.usageBefore, run.usage)),
    error: run.error === null ? null : toJson(run.error),
    status: run.status,
    attempt: run.attempt,
    usage: toJson(run.usage),
    announcements: toJson(announcements),
  };
  const [written] = await (promotes ? tx.run(writeJournal, params) : tx.last(writeJournal, params));
  const left = promotes ? await promoteSteers(tx, lease, run) : [];
  return {
    ok: true,
    announce: [...announcements, ...left],
    next: written?.next === true || left.length > 0,
    ended: end !== undefined,
    waiting,
    steers: end === undefined ? own.steers : 0,
    stopRequested: own.stopRequested,
    approvals: all,
  };
}
