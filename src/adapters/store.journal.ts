import { sql } from "drizzle-orm";
import type { Announcement, JournalWrite, Lease, RunStore } from "../ports/store.ts";
import type { MessageStatus, Part, Run } from "../protocol/shapes.ts";
import { type Database, isId } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import { partsBytes } from "./store.page.ts";
import { insertOutbox, onConversation, type RunRow, runFields, toRun } from "./store.rows.ts";

interface Write {
  readonly runId: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly fence: number;
  readonly owner: string;
  readonly steps: string;
  readonly parts: string;
  readonly bytes: number;
  readonly messageStatus: MessageStatus;
  /** 'running' while it goes on. */
  readonly status: Run["status"];
  readonly ends: boolean;
  readonly stepped: boolean;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly error: string | null;
}

/**
 * [R4] Writes only for the holder of the lease: another fence, owner or status selects no run, and everything hangs
 * on that one. The conversation's row is locked already, so the order of the queue stands still.
 * A finished step resets the attempts [R6]; the last commit leaves them as what it took.
 */
const writeJournal = statement<Write, RunRow & { readonly next: boolean }>(
  "write_journal",
  (p) => sql`
    with own as (
      select id, conversation_id, assistant_message_id from runs
      where id = ${p.runId} and status = 'running' and fence = ${p.fence} and owner = ${p.owner}
      for update
    ), written_steps as (
      insert into steps (id, tenant_id, user_id, run_id, index, kind, attempt, status, input_tokens, output_tokens, started_at,
        finished_at)
      select s.id, ${p.tenantId}::uuid, ${p.userId}::uuid, own.id, s.index, s.kind, s.attempt, s.status,
        (s.usage ->> 'inputTokens')::bigint, (s.usage ->> 'outputTokens')::bigint, s."startedAt", s."finishedAt"
      from own, jsonb_to_recordset(${p.steps}::jsonb) as s(
        id uuid, index int, kind text, attempt int, status text, usage jsonb, "startedAt" timestamptz,
        "finishedAt" timestamptz)
      on conflict (id) do update set attempt = excluded.attempt, status = excluded.status,
        input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
        finished_at = excluded.finished_at
    ), answer as (
      update messages m set parts = ${p.parts}::jsonb, bytes = ${p.bytes}::int, status = ${p.messageStatus}
      from own where m.id = own.assistant_message_id
    ), next as (
      update conversations c set current_run_id = (
        select n.id from runs n where n.conversation_id = c.id and n.status = 'queued' order by n.position limit 1)
      from own where c.id = own.conversation_id and ${p.ends}::boolean
      returning c.current_run_id
    )
    update runs r set status = ${p.status}, input_tokens = ${p.inputTokens}::bigint,
      output_tokens = ${p.outputTokens}::bigint,
      attempt = case when ${p.stepped}::boolean then 1 else r.attempt end,
      error = case when ${p.ends}::boolean then ${p.error}::jsonb end,
      finished_at = case when ${p.ends}::boolean then now() end,
      owner = case when ${p.ends}::boolean then null else r.owner end,
      lease_until = case when ${p.ends}::boolean then null else r.lease_until end
    from own where r.id = own.id
    returning ${runFields}, exists (select from next where current_run_id is not null) as next`,
);

const announce = statement<{ announcements: string }, unknown>("announce", (p) => insertOutbox(p.announcements));

const messageStatus: Readonly<Record<NonNullable<JournalWrite["end"]>["status"], MessageStatus>> = {
  completed: "complete",
  stopped: "stopped",
  failed: "failed",
};

export const createJournalStore = (database: Database): Pick<RunStore, "commit"> => ({
  async commit(lease, { steps, parts, usage, end }) {
    const { runId, tenantId, userId, conversationId, fence, owner } = lease;
    if (!isId(runId) || !isId(conversationId)) return { ok: false, reason: "FENCED" };
    const json = toJson(parts);
    return database.transaction(
      { tenantId, userId },
      async (tx) => {
        const [row] = await tx.run(writeJournal, {
          runId,
          tenantId,
          userId,
          fence,
          owner,
          steps: toJson(steps),
          parts: json,
          bytes: partsBytes(json),
          messageStatus: end === undefined ? "streaming" : messageStatus[end.status],
          status: end?.status ?? "running",
          ends: end !== undefined,
          stepped: end === undefined && steps.some(({ status }) => status === "completed"),
          inputTokens: usage.inputTokens,
          outputTokens: usage.outputTokens,
          error: end?.status === "failed" ? toJson({ code: end.code, message: end.message }) : null,
        });
        if (row === undefined) return { ok: false, reason: "FENCED" };
        if (end === undefined) return { ok: true, announce: [], next: false };
        const announcements = ending(lease, toRun(row), parts, end);
        await tx.run(announce, { announcements: toJson(announcements) });
        return { ok: true, announce: announcements, next: row.next };
      },
      { lock: conversationId },
    );
  },
});

/** The last events of a run: the end of each text, then the end of the run. */
function ending(lease: Lease, run: Run, parts: readonly Part[], end: NonNullable<JournalWrite["end"]>): Announcement[] {
  const { conversationId, id: runId, assistantMessageId: messageId } = run;
  const about = { threadId: conversationId, runId, run };
  const texts = parts.map(({ text }, partIndex) =>
    onConversation(lease, conversationId, {
      type: "TEXT_MESSAGE_END",
      messageId,
      partIndex,
      length: text.length,
      status: messageStatus[end.status],
    }),
  );
  const last = onConversation(
    lease,
    conversationId,
    end.status === "failed"
      ? { type: "RUN_ERROR", ...about, message: end.message, code: end.code }
      : {
          type: "RUN_FINISHED",
          ...about,
          outcome: { type: end.status === "completed" ? "success" : "cancelled" },
          usage: [{ ...modelOf(run.model), ...run.usage }],
        },
  );
  return [...texts, last];
}

/** `provider/name`, or a provider with one model: `demo`. */
function modelOf(id: string): { readonly provider: string; readonly model: string } {
  const slash = id.indexOf("/");
  return slash < 0 ? { provider: id, model: id } : { provider: id.slice(0, slash), model: id.slice(slash + 1) };
}
