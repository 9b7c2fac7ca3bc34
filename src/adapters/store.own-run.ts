/** A run as its owner's writes meet it. */
import { sql } from "drizzle-orm";
import type { Lease, StoredApproval } from "../ports/store.ts";
import type { Usage } from "../protocol/shapes.ts";
import type { Transaction } from "./database.ts";
import { statement } from "./statement.ts";
import { approvalJson, type RunRow, runFields } from "./store.rows.ts";

/**
 * Messages that wait to join the run `r`: those of its range of seqs that follow nothing. Its own question may follow
 * nothing either, as the first of the conversation; it has the range's first seq.
 */
export const countSteers = sql.raw(
  `(select count(*)::int from messages s where s.conversation_id = r.conversation_id
    and s.seq > r.position * 1024 and s.seq < (r.position + 1) * 1024 and s.parent_id is null)`,
);

/** A run whose row, and whose conversation's row, this transaction has locked for the holder of its lease. */
export interface OwnRun extends RunRow {
  /** When its answer of now began. */
  readonly usageBefore: Usage | null;
  readonly steers: number;
  readonly approvals: readonly StoredApproval[] | null;
  /** Journaled as running: their beginning was announced. */
  readonly begunSteps: readonly string[];
}

/**
 * [R4] Only for the holder of the lease: another fence, owner or status selects no run. The conversation's row is
 * locked already, so that the order of the queue, the steers and the approvals stand still.
 */
const ownRun = statement<{ runId: string; fence: number; owner: string }, OwnRun>(
  "own_run",
  (p) => sql`
    select ${runFields}, r.usage_before as "usageBefore", ${countSteers} as steers,
      (select jsonb_agg(${approvalJson} order by a.requested_at, a.part_index, a.id)
        from approvals a where a.run_id = r.id) as approvals,
      array(select s.id::text from steps s where s.run_id = r.id and s.status = 'running') as "begunSteps"
    from runs r
    where r.id = ${p.runId} and r.status = 'running' and r.fence = ${p.fence} and r.owner = ${p.owner}
    for update of r`,
);

export async function lockOwnRun(tx: Transaction, { runId, fence, owner }: Lease): Promise<OwnRun | undefined> {
  const [row] = await tx.run(ownRun, { runId, fence, owner });
  return row;
}
