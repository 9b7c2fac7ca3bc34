import { type SQL, sql } from "drizzle-orm";
import type { Announcement, ConversationStore, Idempotent } from "../ports/store.ts";
import type { Conversation, Message, MessageStatus, Part } from "../protocol/shapes.ts";
import { type Database, isId, type Transaction } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import { announce, insertOutbox, onConversation, onUser } from "./store.announce.ts";
import { pendingApprovals } from "./store.approvals.ts";
import { decodeCursor, pageOf } from "./store.cursor.ts";
import { answered, insertKey, type KeyParams, keyParams } from "./store.idempotency.ts";
import type { Organising } from "./store.organise.ts";
import { bytesOf, fitApprovals, fitPage } from "./store.page.ts";
import {
  type ConversationRow,
  conversationFields,
  type MessageRow,
  messageFields,
  type RunRow,
  runFields,
  toApproval,
  toConversation,
  toMessage,
  toRun,
} from "./store.rows.ts";

/** Messages that a snapshot has at most, however small they are; those that wait for their runs come besides. */
const SNAPSHOT_MESSAGES = 50;

/** A seq that no message reaches. */
const AFTER_ALL = "9223372036854775807";

interface NewConversation {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly title: string;
  readonly model: string | null;
  readonly announcements: string;
}

const values = (p: { readonly [K in keyof NewConversation]: unknown }) => sql`
  insert into conversations (id, tenant_id, user_id, title, model, created_at, updated_at)
  select ${p.id}::uuid, ${p.tenantId}::uuid, ${p.userId}::uuid, ${p.title}, ${p.model}, now(), now()`;

const insertConversation = statement<NewConversation, unknown>(
  "insert_conversation",
  (p) => sql`with made as (${values(p)}) ${insertOutbox(p.announcements)}`,
);

const insertConversationOnce = statement<NewConversation & KeyParams, { done: number }>(
  "insert_conversation_once",
  (p) => sql`
    with key as (${insertKey(p)}),
    made as (${values(p)} from key),
    announced as (${insertOutbox(p.announcements, sql`where exists (select from key)`)})
    select count(*)::int as done from key`,
);

interface ListParams {
  readonly time: string;
  readonly id: string;
  readonly query: string | null;
  readonly archived: boolean;
  readonly folderId: string | null;
  readonly limit: number;
}

/** One statement a kind of list, so that each goes by the index that is made for it. */
const listOf = (name: string, only: (p: { readonly [K in keyof ListParams]: unknown }) => SQL) =>
  statement<ListParams, ConversationRow>(
    name,
    (p) => sql`
      select ${conversationFields} from conversations c
      where c.user_id = parley_user() and c.deleted_at is null and ${only(p)}
        and (c.updated_at, c.id) < (${p.time}::timestamptz, ${p.id}::uuid)
        and (${p.query}::text is null or strpos(lower(c.title), lower(${p.query}::text)) > 0)
      order by c.updated_at desc, c.id desc
      limit ${p.limit}`,
  );

const listRecent = listOf("list_conversations", (p) => sql`(c.archived_at is not null) = ${p.archived}::boolean`);
const listPinned = listOf("list_pinned_conversations", () => sql`c.pinned_at is not null`);
const listFolder = listOf(
  "list_conversations_of_folder",
  (p) => sql`c.folder_id = ${p.folderId}::uuid and (c.archived_at is not null) = ${p.archived}::boolean`,
);

const findConversation = statement<{ id: string }, ConversationRow & { fence: string | number }>(
  "find_conversation",
  (p) => sql`
    select ${conversationFields}, c.fence from conversations c where c.id = ${p.id} and c.deleted_at is null`,
);

const renameConversation = statement<{ id: string; title: string }, ConversationRow>(
  "rename_conversation",
  (p) => sql`
    update conversations c set title = ${p.title} where c.id = ${p.id} and c.deleted_at is null
    returning ${conversationFields}`,
);

/**
 * Newest first: the messages before a place that begin within `maxBytes`. `candidates` counts them and those that the
 * bytes cut off, up to one more than the limit.
 */
const pageOfMessages = statement<
  { conversationId: string; before: string | null; limit: number; maxBytes: number },
  MessageRow & { candidates: number }
>(
  "page_of_messages",
  (p) => sql`
    select ${messageFields}, m.candidates
    from (
      select *, sum(bytes) over (order by seq desc) - bytes as newer_bytes, (count(*) over ())::int as candidates
      from (
        select * from messages
        where conversation_id = ${p.conversationId}
          and seq < coalesce((select seq from messages where id = ${p.before}::uuid), ${sql.raw(AFTER_ALL)})
        order by seq desc
        limit ${p.limit}::int + 1
      ) newest
    ) m
    where m.newer_bytes < ${p.maxBytes}
    order by m.seq desc`,
);

const messageExists = statement<{ id: string; conversationId: string }, unknown>(
  "message_exists",
  (p) => sql`select from messages where id = ${p.id} and conversation_id = ${p.conversationId}`,
);

const unfinishedRuns = statement<{ conversationId: string }, RunRow>(
  "unfinished_runs",
  (p) => sql`
    select ${runFields} from runs r
    where r.conversation_id = ${p.conversationId} and r.status in ('queued', 'running', 'waiting')
    order by r.position`,
);

const findPart = statement<
  { messageId: string; index: number },
  { conversationId: string; status: MessageStatus; part: Part | null }
>(
  "find_part",
  (p) => sql`
    select m.conversation_id as "conversationId", m.status, m.parts -> ${p.index}::int as part
    from messages m join conversations c on c.id = m.conversation_id
    where m.id = ${p.messageId} and c.deleted_at is null`,
);

const fenceOf = statement<{ id: string }, { fence: string | number }>(
  "fence_of",
  (p) => sql`select fence from conversations where id = ${p.id}`,
);

async function readPage(
  tx: Transaction,
  conversationId: string,
  {
    before,
    limit,
    maxBytes,
  }: { readonly before?: string | undefined; readonly limit: number; readonly maxBytes: number },
): Promise<{ readonly messages: Message[]; readonly hasMore: boolean }> {
  const rows = await tx.run(pageOfMessages, { conversationId, before: before ?? null, limit, maxBytes });
  const messages = fitPage(rows.slice(0, limit).map(toMessage), maxBytes);
  return { messages, hasMore: (rows[0]?.candidates ?? 0) > messages.length };
}

/** `listing`: where lists are read from; it may be behind. */
export const createConversationStore = (
  database: Database,
  listing: Pick<Database, "transaction"> = database,
): Omit<ConversationStore, "selectBranch" | keyof Organising> => ({
  create(scope, { id, title, model }, idempotency) {
    return database.transaction(scope, async (tx): Promise<Idempotent<Conversation>> => {
      await tx.open();
      const times = { createdAt: tx.now, updatedAt: tx.now };
      const conversation: Conversation = { id, title, model, headMessageId: null, ...times };
      const rows: Announcement[] = [
        onUser(scope, { type: "CUSTOM", name: "conversation.created", value: { conversation } }),
      ];
      const row = { id, ...scope, title, model, announcements: toJson(rows) };
      if (idempotency === undefined) {
        await tx.run(insertConversation, row);
      } else {
        const [written] = await tx.run(insertConversationOnce, {
          ...row,
          ...keyParams(scope, idempotency, conversation),
        });
        if (written?.done !== 1) return answered(tx, idempotency);
      }
      return { ok: true, value: conversation, repeated: false, announce: rows };
    });
  },

  async list(scope, { cursor, limit, query, archived = false, pinned = false, folderId }) {
    const after = decodeCursor(cursor);
    if (folderId !== undefined && !isId(folderId)) return { conversations: [], nextCursor: null };
    const list = pinned ? listPinned : folderId === undefined ? listRecent : listFolder;
    const params = { ...after, query: query || null, archived, folderId: folderId ?? null, limit: limit + 1 };
    const rows = await listing.transaction(scope, (tx) => tx.run(list, params));
    const place = ({ updatedAt: time, id }: Conversation) => ({ time, id });
    const { items, nextCursor } = pageOf(rows.map(toConversation), limit, place);
    return { conversations: items, nextCursor };
  },

  async find(scope, conversationId) {
    if (!isId(conversationId)) return null;
    const [row] = await database.transaction(scope, (tx) => tx.run(findConversation, { id: conversationId }));
    return row === undefined ? null : { conversation: toConversation(row), fence: Number(row.fence) };
  },

  async rename(scope, conversationId, title) {
    if (!isId(conversationId)) return null;
    return database.transaction(scope, async (tx) => {
      const [row] = await tx.run(renameConversation, { id: conversationId, title });
      if (row === undefined) return null;
      const conversation = toConversation(row);
      const event = { type: "CUSTOM", name: "conversation.renamed", value: { conversation } } as const;
      const rows = await announce(tx, [onConversation(scope, conversationId, event), onUser(scope, event)]);
      return { conversation, announce: rows };
    });
  },

  async messages(scope, conversationId, page) {
    if (!isId(conversationId) || (page.before !== undefined && !isId(page.before))) return null;
    return database.transaction(
      scope,
      async (tx) => {
        const [row] = await tx.run(findConversation, { id: conversationId });
        if (row === undefined) return null;
        if (page.before !== undefined) {
          const [place] = await tx.run(messageExists, { id: page.before, conversationId });
          if (place === undefined) return null;
        }
        return { conversation: toConversation(row), ...(await readPage(tx, conversationId, page)) };
      },
      { snapshot: true },
    );
  },

  async snapshot(scope, conversationId, maxBytes) {
    if (!isId(conversationId)) return null;
    return database.transaction(
      scope,
      async (tx) => {
        const [row] = await tx.run(findConversation, { id: conversationId });
        if (row === undefined) return null;
        const runs = (await tx.run(unfinishedRuns, { conversationId })).map(toRun);
        const activeRun = runs.find(({ status }) => status !== "queued");
        const pending = activeRun === undefined ? [] : await pendingApprovals(tx, activeRun.id);
        const approvals = fitApprovals(pending.map(toApproval), maxBytes / 4);
        const queuedRuns = runs.filter(({ status }) => status === "queued");
        const room = { limit: SNAPSHOT_MESSAGES + queuedRuns.length, maxBytes: maxBytes - bytesOf(approvals) };
        const page = await readPage(tx, conversationId, room);
        return {
          conversation: toConversation(row),
          ...page,
          ...(activeRun === undefined ? {} : { activeRun }),
          queuedRuns,
          approvals,
        };
      },
      { snapshot: true },
    );
  },

  async part(scope, messageId, partIndex) {
    if (!isId(messageId)) return null;
    const [row] = await database.transaction(scope, (tx) => tx.run(findPart, { messageId, index: partIndex }));
    return row ?? null;
  },

  async fence(conversationId) {
    if (!isId(conversationId)) return null;
    const [row] = await database.transaction("system", (tx) => tx.run(fenceOf, { id: conversationId }));
    return row === undefined ? null : Number(row.fence);
  },
});
