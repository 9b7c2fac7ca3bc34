/** Rows of uploaded files: who owns which, and which conversations refer to it. The bytes are elsewhere. */
import { sql } from "drizzle-orm";
import type { FileRows, Scope, StoredFile } from "../ports/store.ts";
import type { FilePart } from "../protocol/shapes.ts";
import { type Database, isId, type Transaction } from "./database.ts";
import { statement } from "./statement.ts";
import { removeUnusedFiles } from "./store.purge.ts";
import { type Bigint, iso } from "./store.rows.ts";

const MOST_LISTED = 200;

interface FileRow {
  readonly fileId: string;
  readonly name: string;
  readonly mediaType: string;
  readonly size: Bigint;
  readonly conversationId: string | null;
  readonly createdAt: Date;
}
/** The first conversation that referred to it counts as its own. */
const fileFields = sql.raw(
  'f.id as "fileId", f.name, f.media_type as "mediaType", f.size, f.created_at as "createdAt", ' +
    "(select u.conversation_id from file_uses u where u.file_id = f.id order by u.created_at, u.conversation_id limit 1) " +
    'as "conversationId"',
);
const toFile = ({ size, createdAt, ...row }: FileRow): StoredFile => ({
  ...row,
  size: Number(size),
  createdAt: iso(createdAt),
});

const insertFile = statement<
  Scope & Pick<StoredFile, "fileId" | "name" | "mediaType" | "size">,
  Pick<FileRow, "createdAt">
>(
  "insert_file",
  (p) => sql`
    insert into files (id, tenant_id, user_id, name, media_type, size, created_at)
    values (${p.fileId}, ${p.tenantId}, ${p.userId}, ${p.name}, ${p.mediaType}, ${p.size}::bigint, now())
    returning created_at as "createdAt"`,
);
const findFiles = statement<{ ids: string[] }, FileRow>(
  "find_files",
  (p) => sql`select ${fileFields} from files f where f.id = any(${p.ids}::uuid[])`,
);
const listFiles = statement<{ conversationId: string; limit: number }, FileRow>(
  "list_files",
  (p) => sql`
    select ${fileFields} from file_uses used join files f on f.id = used.file_id
    where used.conversation_id = ${p.conversationId}
    order by f.created_at, f.id
    limit ${p.limit}`,
);
const deleteFile = statement<{ id: string }, { id: string }>(
  "delete_file",
  (p) => sql`delete from files where id = ${p.id} returning id`,
);
const insertUses = statement<Scope & { conversationId: string; ids: string[] }, unknown>(
  "insert_file_uses",
  (p) => sql`
    insert into file_uses (tenant_id, user_id, conversation_id, file_id, created_at)
    select ${p.tenantId}::uuid, ${p.userId}::uuid, ${p.conversationId}::uuid, id, now()
    from unnest(${p.ids}::uuid[]) id
    on conflict do nothing`,
);
const knownFiles = statement<{ ids: string[] }, { id: string }>(
  "known_files",
  (p) => sql`select id from files where id = any(${p.ids}::uuid[])`,
);

/** As parts of a message, in this order; undefined when one of them is not this user's. */
export async function filePartsOf(tx: Transaction, fileIds: readonly string[]): Promise<FilePart[] | undefined> {
  const ids = [...new Set(fileIds)];
  if (ids.length === 0) return [];
  if (!ids.every(isId)) return undefined;
  const found = new Map((await tx.run(findFiles, { ids })).map((row) => [row.fileId, toFile(row)]));
  const parts: FilePart[] = [];
  for (const id of ids) {
    const file = found.get(id);
    if (file === undefined) return undefined;
    parts.push({ type: "file", fileId: id, name: file.name, mediaType: file.mediaType, size: file.size });
  }
  return parts;
}

/** A message of the conversation refers to these from now on. */
export async function useFiles(
  tx: Transaction,
  { tenantId, userId }: Scope,
  conversationId: string,
  parts: readonly FilePart[],
): Promise<void> {
  if (parts.length === 0) return;
  await tx.run(insertUses, { tenantId, userId, conversationId, ids: parts.map(({ fileId }) => fileId) });
}

export const createFileRows = (database: Database): FileRows => ({
  async create(scope, { fileId, name, mediaType, size }) {
    const { tenantId, userId } = scope;
    const [row] = await database.transaction(scope, (tx) =>
      tx.run(insertFile, { tenantId, userId, fileId, name, mediaType, size }),
    );
    if (row === undefined) throw new Error(`File ${fileId} was not written`);
    return { fileId, name, mediaType, size, conversationId: null, createdAt: iso(row.createdAt) };
  },

  async find(reader, fileId) {
    if (!isId(fileId)) return null;
    const [row] = await database.transaction(reader, (tx) => tx.run(findFiles, { ids: [fileId] }));
    return row === undefined ? null : toFile(row);
  },

  async list(scope, conversationId) {
    if (!isId(conversationId)) return [];
    const rows = await database.transaction(scope, (tx) => tx.run(listFiles, { conversationId, limit: MOST_LISTED }));
    return rows.map(toFile);
  },

  async delete(scope, fileId) {
    if (!isId(fileId)) return false;
    const rows = await database.transaction(scope, (tx) => tx.run(deleteFile, { id: fileId }));
    return rows.length > 0;
  },

  async known(fileIds) {
    const ids = fileIds.filter(isId);
    if (ids.length === 0) return [];
    return (await database.transaction("system", (tx) => tx.run(knownFiles, { ids }))).map(({ id }) => id);
  },

  async removeUnused(fileIds, olderThanMs) {
    const ids = fileIds.filter(isId);
    return ids.length === 0 ? [] : removeUnusedFiles(database, ids, olderThanMs);
  },
});
