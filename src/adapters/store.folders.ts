/** Folders of conversations. Their order is by name, and each page's own language decides what that is. */
import { sql } from "drizzle-orm";
import type { FolderStore, Idempotent, Scope } from "../ports/store.ts";
import { MAX_FOLDERS } from "../protocol/constants.ts";
import type { Folder } from "../protocol/shapes.ts";
import { type Database, isId } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import { announce, insertOutbox, onUser } from "./store.announce.ts";
import { answered, insertKey, isKey, type KeyParams, keyParams } from "./store.idempotency.ts";
import { iso } from "./store.rows.ts";

interface FolderRow {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
}
const folderFields = sql.raw('f.id, f.name, f.created_at as "createdAt"');
const toFolder = ({ id, name, createdAt }: FolderRow): Folder => ({ id, name, createdAt: iso(createdAt) });

const listFolders = statement<{ limit: number }, FolderRow>(
  "list_folders",
  (p) => sql`
    select ${folderFields} from folders f where f.user_id = parley_user() order by f.name, f.id limit ${p.limit}`,
);
const countFolders = statement<{ key: string }, { folders: number; known: boolean }>(
  "count_folders",
  (p) => sql`
    select (select count(*)::int from folders f where f.user_id = parley_user()) as folders,
      exists (select from idempotency_keys k where ${isKey(p.key)}) as known`,
);
const insertFolder = statement<
  Scope & KeyParams & { id: string; name: string; announcements: string },
  { done: number }
>(
  "insert_folder",
  (p) => sql`
    with key as (${insertKey(p)}),
    made as (
      insert into folders (id, tenant_id, user_id, name, created_at)
      select ${p.id}::uuid, ${p.tenantId}::uuid, ${p.userId}::uuid, ${p.name}, now() from key
    ),
    announced as (${insertOutbox(p.announcements, sql`where exists (select from key)`)})
    select count(*)::int as done from key`,
);
const renameFolder = statement<{ id: string; name: string }, FolderRow>(
  "rename_folder",
  (p) => sql`update folders f set name = ${p.name} where f.id = ${p.id} returning ${folderFields}`,
);
/** Its conversations let go of it by their foreign key. */
const deleteFolder = statement<{ id: string }, { id: string }>(
  "delete_folder",
  (p) => sql`delete from folders where id = ${p.id} returning id`,
);

const updated = (scope: Scope, folder: Folder) =>
  onUser(scope, { type: "CUSTOM", name: "folder.updated", value: { folder } });

export const createFolderStore = (database: Database): FolderStore => ({
  async list(scope) {
    return (await database.transaction(scope, (tx) => tx.run(listFolders, { limit: MAX_FOLDERS }))).map(toFolder);
  },

  create(scope, { id, name }, idempotency) {
    return database.transaction(
      scope,
      async (tx): Promise<Idempotent<Folder> | { readonly ok: false; readonly reason: "TOO_MANY" }> => {
        const [count] = await tx.run(countFolders, { key: idempotency.key });
        if (count?.known !== true && (count?.folders ?? 0) >= MAX_FOLDERS) return { ok: false, reason: "TOO_MANY" };
        const folder: Folder = { id, name, createdAt: tx.now };
        const rows = [updated(scope, folder)];
        const [written] = await tx.run(insertFolder, {
          ...keyParams(scope, idempotency, folder),
          id,
          name,
          announcements: toJson(rows),
        });
        if (written?.done !== 1) return answered(tx, idempotency);
        return { ok: true, value: folder, repeated: false, announce: rows };
      },
    );
  },

  async rename(scope, folderId, name) {
    if (!isId(folderId)) return null;
    return database.transaction(scope, async (tx) => {
      const [row] = await tx.run(renameFolder, { id: folderId, name });
      if (row === undefined) return null;
      const folder = toFolder(row);
      return { folder, announce: await announce(tx, [updated(scope, folder)]) };
    });
  },

  async delete(scope, folderId) {
    if (!isId(folderId)) return null;
    return database.transaction(scope, async (tx) => {
      const [row] = await tx.run(deleteFolder, { id: folderId });
      if (row === undefined) return null;
      const event = { type: "CUSTOM", name: "folder.deleted", value: { folderId } } as const;
      return { announce: await announce(tx, [onUser(scope, event)]) };
    });
  },
});
