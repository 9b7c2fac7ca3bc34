/** Pins, the archive, folders' contents, and deletion, which can be taken back until the sweep has come by. */
import { sql } from "drizzle-orm";
import type { Announcement, ConversationStore, Scope } from "../ports/store.ts";
import { MAX_PINNED } from "../protocol/constants.ts";
import type { RunStatus } from "../protocol/shapes.ts";
import { type Database, isId, type Transaction } from "./database.ts";
import { statement } from "./statement.ts";
import { announce, onConversation, onUser } from "./store.announce.ts";
import { decodeCursor, pageOf } from "./store.cursor.ts";
import { askToStop, endUnclaimed } from "./store.queue.ts";
import { type ConversationRow, conversationFields, iso, toConversation } from "./store.rows.ts";
import { dropShare } from "./store.shares.ts";
import { brokenConstraint } from "./store.turns.ts";

/** How long a deletion can be taken back; the policies let it be removed for good after that. */
export const restorable = sql.raw(`interval '7 days'`);

interface Changes {
  readonly id: string;
  readonly pinned: boolean | null;
  readonly archived: boolean | null;
  readonly moves: boolean;
  readonly folderId: string | null;
}

/** What goes to the archive is no longer pinned, and the reverse. */
const updateConversation = statement<Changes, ConversationRow>(
  "update_conversation",
  (p) => sql`
    update conversations c set
      pinned_at = case when ${p.archived}::boolean or not ${p.pinned}::boolean then null
        when ${p.pinned}::boolean then coalesce(c.pinned_at, now()) else c.pinned_at end,
      archived_at = case when ${p.archived}::boolean then coalesce(c.archived_at, now())
        when not ${p.archived}::boolean or ${p.pinned}::boolean then null else c.archived_at end,
      folder_id = case when ${p.moves}::boolean then ${p.folderId}::uuid else c.folder_id end
    where c.id = ${p.id} and c.deleted_at is null
      and (${p.folderId}::uuid is null or exists (select from folders f where f.id = ${p.folderId}::uuid))
    returning ${conversationFields}`,
);

const countPinned = statement<{ id: string }, { pinned: number }>(
  "count_pinned",
  (p) => sql`
    select count(*)::int as pinned from conversations c
    where c.user_id = parley_user() and c.pinned_at is not null and c.deleted_at is null and c.id <> ${p.id}`,
);

/** A deletion that is repeated finds the first one's time. */
const markDeleted = statement<{ id: string }, { deletedNow: boolean; runId: string | null; status: RunStatus | null }>(
  "mark_deleted",
  (p) => sql`
    with before as (select id, deleted_at from conversations where id = ${p.id})
    update conversations c set deleted_at = coalesce(c.deleted_at, now())
    from before where c.id = before.id
    returning before.deleted_at is null as "deletedNow", c.current_run_id as "runId",
      (select r.status from runs r where r.id = c.current_run_id) as status`,
);

/** Last first: ending one then moves nobody up. */
const queuedIds = statement<{ id: string }, { id: string }>(
  "queued_ids",
  (p) => sql`
    select r.id from runs r where r.conversation_id = ${p.id} and r.status = 'queued' order by r.position desc`,
);

const restoreConversation = statement<{ id: string }, ConversationRow & { wasDeleted: boolean }>(
  "restore_conversation",
  (p) => sql`
    with before as (
      select id, deleted_at from conversations
      where id = ${p.id} and (deleted_at is null or deleted_at > now() - ${restorable})
    )
    update conversations c set deleted_at = null
    from before where c.id = before.id
    returning ${conversationFields}, before.deleted_at is not null as "wasDeleted"`,
);

/** Its time is the one at which the sweep takes it. */
const giveUp = statement<{ id: string }, { isRunning: boolean }>(
  "give_up_conversation",
  (p) => sql`
    with before as (
      select c.id, exists (
        select from runs r where r.conversation_id = c.id and r.status in ('running', 'waiting')) as "isRunning"
      from conversations c where c.id = ${p.id} and c.deleted_at is not null
    )
    update conversations c
    set deleted_at = case when before."isRunning" then c.deleted_at else least(c.deleted_at, now() - ${restorable}) end
    from before where c.id = before.id
    returning before."isRunning"`,
);

const listDeleted = statement<
  { time: string; id: string; limit: number },
  ConversationRow & { readonly deletedAt: Date; readonly removedAt: Date }
>(
  "list_deleted",
  (p) => sql`
    select ${conversationFields}, c.deleted_at as "deletedAt", c.deleted_at + ${restorable} as "removedAt"
    from conversations c
    where c.user_id = parley_user() and c.deleted_at > now() - ${restorable}
      and (c.deleted_at, c.id) < (${p.time}::timestamptz, ${p.id}::uuid)
    order by c.deleted_at desc, c.id desc
    limit ${p.limit}`,
);

const DELETED_PAGE = 30;

export type Organising = Pick<ConversationStore, "update" | "delete" | "restore" | "purge" | "listDeleted">;

export const createOrganiseStore = (database: Database): Organising => ({
  async update(scope, conversationId, { pinned, archived, folderId }) {
    if (!isId(conversationId) || (typeof folderId === "string" && !isId(folderId))) return null;
    const changes: Changes = {
      id: conversationId,
      pinned: pinned ?? null,
      archived: archived ?? null,
      moves: folderId !== undefined,
      folderId: folderId ?? null,
    };
    try {
      return await database.transaction(scope, (tx) => update(tx, scope, changes), { lock: conversationId });
    } catch (error) {
      // The folder was deleted at this very moment.
      if (brokenConstraint(error)?.startsWith("conversations_folder_id")) return null;
      throw error;
    }
  },

  async delete(scope, conversationId) {
    if (!isId(conversationId)) return null;
    return database.transaction(scope, (tx) => remove(tx, scope, conversationId), { lock: conversationId });
  },

  async restore(scope, conversationId) {
    if (!isId(conversationId)) return null;
    return database.transaction(
      scope,
      async (tx) => {
        const [row] = await tx.run(restoreConversation, { id: conversationId });
        if (row === undefined) return null;
        const conversation = toConversation(row);
        if (!row.wasDeleted) return { conversation, announce: [] };
        const event = { type: "CUSTOM", name: "conversation.restored", value: { conversation } } as const;
        return { conversation, announce: await announce(tx, [onUser(scope, event)]) };
      },
      { lock: conversationId },
    );
  },

  async purge(scope, conversationId) {
    if (!isId(conversationId)) return null;
    return database.transaction(
      scope,
      async (tx) => {
        const [row] = await tx.run(giveUp, { id: conversationId });
        if (row === undefined) return null;
        if (row.isRunning) return { ok: false, reason: "BUSY" };
        // Whoever lists what was deleted looks again.
        return { ok: true, announce: await announce(tx, [onUser(scope, deletedEvent(conversationId))]) };
      },
      { lock: conversationId },
    );
  },

  async listDeleted(scope, { cursor, limit = DELETED_PAGE }) {
    const after = decodeCursor(cursor);
    const rows = await database.transaction(scope, (tx) => tx.run(listDeleted, { ...after, limit: limit + 1 }));
    const { items, nextCursor } = pageOf(rows, limit, ({ deletedAt, id }) => ({ time: iso(deletedAt), id }));
    const deleted = items.map(({ deletedAt, removedAt, ...row }) => ({
      conversation: toConversation(row),
      deletedAt: iso(deletedAt),
      removedAt: iso(removedAt),
    }));
    return { deleted, nextCursor };
  },
});

async function update(tx: Transaction, scope: Scope, changes: Changes): ReturnType<ConversationStore["update"]> {
  if (changes.pinned === true) {
    const [count] = await tx.run(countPinned, { id: changes.id });
    if ((count?.pinned ?? 0) >= MAX_PINNED) return { ok: false, reason: "TOO_MANY" };
  }
  const [row] = await tx.run(updateConversation, changes);
  if (row === undefined) return null;
  const conversation = toConversation(row);
  const event = { type: "CUSTOM", name: "conversation.updated", value: { conversation } } as const;
  return { ok: true, conversation, announce: await announce(tx, [onUser(scope, event)]) };
}

const deletedEvent = (conversationId: string) =>
  ({ type: "CUSTOM", name: "conversation.deleted", value: { conversationId } }) as const;

async function remove(tx: Transaction, scope: Scope, id: string): ReturnType<ConversationStore["delete"]> {
  const [row] = await tx.run(markDeleted, { id });
  if (row === undefined) return null;
  if (!row.deletedNow) return { active: null, shareId: null, announce: [] };
  const rows: Announcement[] = [];
  for (const { id: runId } of await tx.run(queuedIds, { id })) rows.push(...(await endUnclaimed(tx, scope, runId)));
  const active = row.status === "running" || row.status === "waiting" ? row.runId : null;
  if (active !== null) rows.push(...(await askToStop(tx, scope, active)));
  const shareId = await dropShare(tx, id);
  const event = deletedEvent(id);
  rows.push(onConversation(scope, id, event), onUser(scope, event));
  return { active, shareId, announce: await announce(tx, rows) };
}
