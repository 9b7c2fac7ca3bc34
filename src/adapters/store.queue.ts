/**
 * The runs of one conversation in their order: the current one, then those that wait. Whoever changes it holds the
 * lock of the conversation's row [R2].
 */
import { sql } from "drizzle-orm";
import type { Announcement, Scope } from "../ports/store.ts";
import type { Run } from "../protocol/shapes.ts";
import type { Transaction } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import { approvalDecided, runUpdated } from "./store.announce.ts";
import { cancelApprovals, resume } from "./store.approvals.ts";
import { isQueued, questionSeq, type RunRow, runFields, seqAfter, toApproval, toRun } from "./store.rows.ts";

const queuedRuns = statement<{ conversationId: string }, RunRow>(
  "queued_runs",
  (p) => sql`
    select ${runFields} from runs r
    where r.conversation_id = ${p.conversationId} and ${isQueued("r")}
    order by r.position`,
);

/** Gives queued runs, and what was said to start them, positions behind all that were given. */
const moveBack = statement<{ conversationId: string; moves: string }, unknown>(
  "move_back",
  (p) => sql`
    with moves as (
      select * from jsonb_to_recordset(${p.moves}::jsonb) as x(
        id uuid, position bigint, "fromSeq" bigint, "beforeSeq" bigint, shift bigint)
    ), said as (
      update messages m set
        seq = m.seq + (select x.shift from moves x where m.seq >= x."fromSeq" and m.seq < x."beforeSeq")
      where m.id = any(array(
        select q.id from moves x, lateral (
          select q.id from messages q
          where q.conversation_id = ${p.conversationId} and q.seq >= x."fromSeq" and q.seq < x."beforeSeq"
          offset 0
        ) q))
    )
    update runs r set position = (select x.position from moves x where x.id = r.id)
    where r.id = any(array(select x.id from moves x))`,
);

const requestStop = statement<{ runId: string }, unknown>(
  "request_stop",
  (p) => sql`update runs set stop_requested = true where id = ${p.runId} and status in ('running', 'waiting')`,
);

/** Ends a run that no worker has claimed; the next one of the queue becomes the current one. */
const endQueued = statement<{ runId: string }, RunRow>(
  "end_queued",
  (p) => sql`
    with ended as (
      update runs r set status = 'stopped', stop_requested = true, finished_at = now()
      where r.id = ${p.runId} and r.status = 'queued'
      returning ${runFields}
    ), moved as (
      update conversations c set current_run_id = (
        select n.id from runs n
        where n.conversation_id = c.id and ${isQueued("n")} and n.id <> c.current_run_id
        order by n.position limit 1)
      from ended where c.id = ended."conversationId" and c.current_run_id = ended.id
    )
    select * from ended`,
);

/** Puts the whole queue behind `first`, whose position is the highest that was given. */
export async function moveQueueBehind(tx: Transaction, first: Run): Promise<Run[]> {
  const { conversationId, position } = first;
  const queued = (await tx.run(queuedRuns, { conversationId })).map(toRun).filter(({ id }) => id !== first.id);
  const moved = queued.map((run, index) => ({ ...run, position: position + 1 + index }));
  if (moved.length === 0) return [];
  const moves = moved.map((run, index) => {
    const from = queued[index]?.position ?? 0;
    return {
      id: run.id,
      position: run.position,
      fromSeq: questionSeq(from),
      beforeSeq: seqAfter(from),
      shift: questionSeq(run.position - from),
    };
  });
  await tx.run(moveBack, { conversationId, moves: toJson(moves) });
  return moved;
}

/** Ends a queued run here and now; what announces it, nothing when it was not queued. */
export const endUnclaimed = async (tx: Transaction, scope: Scope, runId: string): Promise<Announcement[]> =>
  (await tx.run(endQueued, { runId })).map((row) => runUpdated(scope, toRun(row)));

/**
 * [R11] Asks an active run to stop. Nothing of it can be approved from here on; one that waits goes on, for somebody to
 * claim and end it.
 */
export async function askToStop(tx: Transaction, scope: Scope, runId: string): Promise<Announcement[]> {
  await tx.run(requestStop, { runId });
  const cancelled = await cancelApprovals(tx, runId);
  return [
    ...cancelled.map((approval) => approvalDecided(scope, toApproval(approval))),
    ...(await resume(tx, scope, runId)),
  ];
}
