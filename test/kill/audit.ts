/** What a store holds, whoever it belongs to. */
import type { Database } from "../../src/adapters/database.ts";
import { createStore } from "../../src/adapters/store.drizzle.ts";
import type { RunStatus } from "../../src/protocol/shapes.ts";
import { runAsAdmin } from "../support/store-world.ts";

export interface AuditedRun {
  readonly id: string;
  readonly status: RunStatus;
  readonly attempt: number;
  readonly userMessageId: string;
}

export interface Audit {
  readonly conversations: number;
  readonly runs: readonly AuditedRun[];
  /** Texts that were remembered, in the order of the alphabet. */
  readonly memories: readonly string[];
  readonly pendingApprovals: number;
  /** Rows that have not been announced, or not been cleared yet. */
  readonly outbox: number;
  /** What this process met that only a bug explains. */
  readonly bugs: number;
}

const QUERY = `
  select (select count(*)::int from conversations) as conversations,
    (select count(*)::int from outbox) as outbox,
    (select count(*)::int from approvals where status = 'pending') as "pendingApprovals",
    coalesce((select jsonb_agg(text order by text) from memories), '[]') as memories,
    coalesce((select jsonb_agg(jsonb_build_object('id', id, 'status', status, 'attempt', attempt,
      'userMessageId', user_message_id) order by created_at, id) from runs), '[]') as runs`;

export async function auditOf(database: Database, bugs: number): Promise<Audit> {
  const [row] = await runAsAdmin<Omit<Audit, "bugs">>({ database, store: createStore(database) }, QUERY);
  if (row === undefined) throw new Error("The audit gave no row");
  return { ...row, bugs };
}
