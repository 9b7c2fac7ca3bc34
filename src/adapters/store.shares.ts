/**
 * Links to conversations. Only the hash of a link's token is kept. What a link opens is read as `parley_reader`, whose
 * policies look for that hash themselves: without its row there is nothing to see, whatever the program asks for.
 */
import { sql } from "drizzle-orm";
import type { Scope, ShareStore } from "../ports/store.ts";
import { uuidv7 } from "../protocol/id.ts";
import type { Share } from "../protocol/shapes.ts";
import { type Database, isId, type Transaction } from "./database.ts";
import { statement } from "./statement.ts";
import { type ConversationRow, conversationFields, iso, toConversation } from "./store.rows.ts";

interface ShareRow {
  readonly shareId: string;
  readonly conversationId: string;
  readonly sharedAt: Date;
}
const shareFields = sql.raw('s.id as "shareId", s.conversation_id as "conversationId", s.created_at as "sharedAt"');
const toShare = ({ shareId: id, conversationId, sharedAt }: ShareRow): Share => ({
  id,
  conversationId,
  createdAt: iso(sharedAt),
});

const findShare = statement<{ conversationId: string }, ShareRow>(
  "find_share",
  (p) => sql`
    select ${shareFields} from shares s join conversations c on c.id = s.conversation_id
    where s.conversation_id = ${p.conversationId} and c.deleted_at is null`,
);

const audit = (p: { readonly auditId: unknown }, action: string, from: string) => sql`
  insert into audit_log (id, tenant_id, user_id, action, detail)
  select ${p.auditId}::uuid, s.tenant_id, s.user_id, ${sql.raw(`'${action}'`)},
    jsonb_build_object('conversationId', s.conversation_id, 'shareId', s.id)
  from ${sql.raw(from)} s`;

const putShare = statement<
  Scope & { id: string; conversationId: string; tokenHash: string; auditId: string },
  ShareRow
>(
  "put_share",
  (p) => sql`
    with made as (
      insert into shares (id, tenant_id, user_id, conversation_id, token_hash, created_at)
      select ${p.id}::uuid, c.tenant_id, c.user_id, c.id, ${p.tokenHash}, now()
      from conversations c
      where c.id = ${p.conversationId} and c.user_id = ${p.userId} and c.tenant_id = ${p.tenantId}
        and c.deleted_at is null
      on conflict (conversation_id) do update
        set id = excluded.id, token_hash = excluded.token_hash, created_at = excluded.created_at
      returning *
    ), audited as (${audit(p, "share.created", "made")})
    select ${shareFields} from made s`,
);

const deleteShare = statement<{ conversationId: string; auditId: string }, { id: string }>(
  "delete_share",
  (p) => sql`
    with gone as (delete from shares where conversation_id = ${p.conversationId} returning *),
    audited as (${audit(p, "share.revoked", "gone")})
    select id from gone`,
);

/** Without a condition: the policies leave the one row that the reader's link is. */
const openShare = statement<
  Record<string, never>,
  ShareRow & ConversationRow & { readonly sharerId: string; readonly sharerName: string }
>(
  "open_share",
  () => sql`
    select ${shareFields}, u.id as "sharerId", u.name as "sharerName", ${conversationFields}
    from shares s join conversations c on c.id = s.conversation_id join users u on u.id = s.user_id
    where c.deleted_at is null`,
);

const livingShares = statement<{ ids: string[] }, { id: string }>(
  "living_shares",
  (p) => sql`select id from shares where id = any(${p.ids}::uuid[])`,
);

/** The id of the link that the conversation had. */
export async function dropShare(tx: Transaction, conversationId: string): Promise<string | null> {
  const [row] = await tx.run(deleteShare, { conversationId, auditId: uuidv7() });
  return row?.id ?? null;
}

export const createShareStore = (database: Database): ShareStore => ({
  async find(scope, conversationId) {
    if (!isId(conversationId)) return null;
    const [row] = await database.transaction(scope, (tx) => tx.run(findShare, { conversationId }));
    return row === undefined ? null : toShare(row);
  },

  async create(scope, { id, conversationId, tokenHash }) {
    if (!isId(conversationId)) return null;
    return database.transaction(
      scope,
      async (tx) => {
        const [before] = await tx.run(findShare, { conversationId });
        const { tenantId, userId } = scope;
        const auditId = uuidv7();
        const [row] = await tx.run(putShare, { id, tenantId, userId, conversationId, tokenHash, auditId });
        return row === undefined ? null : { share: toShare(row), revoked: before?.shareId ?? null };
      },
      { lock: conversationId },
    );
  },

  async revoke(scope, conversationId) {
    if (!isId(conversationId)) return null;
    return database.transaction(scope, (tx) => dropShare(tx, conversationId), { lock: conversationId });
  },

  async open(reader) {
    if (reader.shareHash === undefined) return null;
    const [row] = await database.transaction(reader, (tx) => tx.run(openShare, {}));
    if (row === undefined) return null;
    return {
      share: toShare(row),
      sharedBy: { id: row.sharerId, name: row.sharerName },
      conversation: toConversation(row),
    };
  },

  async living(shareIds) {
    const ids = shareIds.filter(isId);
    if (ids.length === 0) return [];
    return (await database.transaction("system", (tx) => tx.run(livingShares, { ids }))).map(({ id }) => id);
  },
});
