/**
 * Removes for good what was deleted and can no longer be restored, and uploads that no message refers to, a bounded number of rows a transaction, as a role
 * whose policies let it see and delete nothing else. Files go with the last conversation that refers to them; their
 * bytes then have no row, and the sweep of files removes those.
 */
import { sql } from "drizzle-orm";
import type { Database, Transaction } from "./database.ts";
import { statement } from "./statement.ts";
import { restorable } from "./store.organise.ts";

/** Conversations of one sweep. */
const MOST_PURGED = 20;
/** Messages of one transaction. */
const MOST_MESSAGES = 1_000;

const purgeable = statement<{ limit: number }, { readonly id: string }>(
  "purgeable_conversations",
  (p) => sql`
    select id from conversations where deleted_at <= now() - ${restorable} order by deleted_at limit ${p.limit}`,
);

const purgeMessages = statement<{ id: string; limit: number }, { purged: number }>(
  "purge_messages",
  (p) => sql`
    with gone as (
      delete from messages where id = any(array(
        select id from messages where conversation_id = ${p.id} order by seq limit ${p.limit}))
      returning id
    )
    select count(*)::int as purged from gone`,
);

const purging = (name: string, text: string) =>
  statement<{ id: string }, unknown>(name, (p) => sql`${sql.raw(text)} = ${p.id}`);
const purgeApprovals = purging("purge_approvals", "delete from approvals where conversation_id");
const purgeSteps = statement<{ id: string }, unknown>(
  "purge_steps",
  (p) => sql`
    delete from steps where run_id = any(array(select r.id from runs r where r.conversation_id = ${p.id}))`,
);
const purgeRuns = purging("purge_runs", "delete from runs where conversation_id");
/** The policy leaves those to which another conversation refers. */
const purgeFiles = statement<{ id: string }, unknown>(
  "purge_files",
  (p) => sql`
    delete from files f
    where f.id = any(array(select u.file_id from file_uses u where u.conversation_id = ${p.id}))`,
);
const purgeUses = purging("purge_file_uses", "delete from file_uses where conversation_id");
const purgeConversation = purging("purge_conversation", "delete from conversations where id");

export async function purgeDeleted(database: Pick<Database, "transaction">): Promise<void> {
  const rows = await database.transaction("purger", (tx) => tx.run(purgeable, { limit: MOST_PURGED }));
  for (const { id } of rows) {
    let done = false;
    while (!done) done = await database.transaction("purger", (tx) => purge(tx, id));
  }
}

async function purge(tx: Transaction, id: string): Promise<boolean> {
  const [messages] = await tx.run(purgeMessages, { id, limit: MOST_MESSAGES });
  if (messages?.purged === MOST_MESSAGES) return false;
  const rest = [purgeApprovals, purgeSteps, purgeRuns, purgeFiles, purgeUses, purgeConversation];
  for (const each of rest) await tx.run(each, { id });
  return true;
}

/**
 * Locked first, and looked at again in a second statement, which sees what was sent meanwhile: a message that comes to
 * refer to one waits for this, and finds that it is gone.
 */
const lockUnused = statement<{ ids: string[]; olderThanMs: number }, { readonly id: string }>(
  "lock_unused_files",
  (p) => sql`
    select id from files f
    where id = any(${p.ids}::uuid[]) and created_at <= now() - ${p.olderThanMs}::float8 * interval '1 ms'
      and not exists (select from file_uses u where u.file_id = f.id)
    for update skip locked`,
);
const deleteUnused = statement<{ ids: string[] }, { readonly id: string }>(
  "delete_unused_files",
  (p) => sql`
    delete from files f
    where id = any(${p.ids}::uuid[]) and not exists (select from file_uses u where u.file_id = f.id)
    returning id`,
);

export const removeUnusedFiles = (
  database: Pick<Database, "transaction">,
  ids: string[],
  olderThanMs: number,
): Promise<string[]> =>
  database.transaction("purger", async (tx) => {
    const locked = (await tx.run(lockUnused, { ids, olderThanMs })).map(({ id }) => id);
    return locked.length === 0 ? [] : (await tx.last(deleteUnused, { ids: locked })).map(({ id }) => id);
  });
