import { sql } from "drizzle-orm";
import type { Lease, RunStore } from "../ports/store.ts";
import { type Database, isId } from "./database.ts";
import { statement, toJson } from "./statement.ts";

/** Of a lease only what its holder must prove. */
const leaseItems = (leases: readonly Lease[]): string =>
  toJson(leases.filter(({ runId }) => isId(runId)).map(({ runId, fence, owner }) => ({ runId, fence, owner })));

/** The leases that are still held; an array keeps the planner to one look-up a run. */
const leaseRows = (leases: unknown) =>
  sql`leases as (select * from jsonb_to_recordset(${leases}::jsonb) as l("runId" uuid, fence bigint, owner text))`;
const isHeld = sql.raw(
  `r.id = any(array(select l."runId" from leases l)) and r.status = 'running'
    and exists (select from leases l where l."runId" = r.id and l.fence = r.fence and l.owner = r.owner)`,
);

/** Now, in the milliseconds of the column: rounded up, a lease that ends at once would last for the rest of this one. */
export const thisMillisecond = sql.raw("date_trunc('milliseconds', now())");

const renewLeases = statement<{ leases: string; leaseMs: number }, { runId: string; stopRequested: boolean }>(
  "renew_leases",
  (p) => sql`
    with ${leaseRows(p.leases)}
    update runs r set lease_until = ${thisMillisecond} + ${p.leaseMs}::float8 * interval '1 ms'
    where ${isHeld}
    returning r.id as "runId", r.stop_requested as "stopRequested"`,
);

const releaseLeases = statement<{ leases: string }, unknown>(
  "release_leases",
  (p) => sql`
    with ${leaseRows(p.leases)}
    update runs r set lease_until = ${thisMillisecond}, owner = null where ${isHeld}`,
);

/** An owner is one start of a process: nobody else holds a run under its name. */
const disownRuns = statement<{ owner: string; runIds: string[] }, unknown>(
  "disown_runs",
  (p) => sql`
    update runs r set lease_until = ${thisMillisecond}, owner = null
    where r.id = any(${p.runIds}::uuid[]) and r.status = 'running' and r.owner = ${p.owner}`,
);

const expireLeases = statement<Record<string, never>, { expired: number }>(
  "expire_leases",
  () => sql`
    with expired as (
      update runs set lease_until = ${thisMillisecond} where status = 'running' and lease_until > now() returning 1
    )
    select count(*)::int as expired from expired`,
);

const countUnfinished = statement<Record<string, never>, { status: string; count: number }>(
  "count_unfinished",
  () => sql`
    select status, count(*)::int as count from runs
    where status in ('queued', 'running', 'waiting')
    group by status`,
);

export const createLeaseStore = (
  database: Database,
): Pick<RunStore, "renew" | "release" | "disown" | "expireAllLeases" | "countByStatus"> => ({
  async renew(leases, leaseMs) {
    if (leases.length === 0) return [];
    return database.transaction("system", (tx) => tx.last(renewLeases, { leases: leaseItems(leases), leaseMs }));
  },

  async release(leases) {
    if (leases.length === 0) return;
    await database.transaction("system", (tx) => tx.last(releaseLeases, { leases: leaseItems(leases) }));
  },

  async disown(owner, runIds) {
    if (runIds.length === 0) return;
    await database.transaction("system", (tx) => tx.last(disownRuns, { owner, runIds: runIds.filter(isId) }));
  },

  async expireAllLeases() {
    const [row] = await database.transaction("system", (tx) => tx.last(expireLeases, {}));
    return row?.expired ?? 0;
  },

  async countByStatus() {
    const rows = await database.transaction("system", (tx) => tx.last(countUnfinished, {}));
    const counts: Record<string, number> = { queued: 0, running: 0, waiting: 0 };
    for (const { status, count } of rows) counts[status] = count;
    return counts;
  },
});
