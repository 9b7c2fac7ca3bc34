/** What the agent was told to remember about a user. Words are compared whole, without case and accents. */
import { sql } from "drizzle-orm";
import type { MemoryStore } from "../ports/library-store.ts";
import type { Idempotent, Scope } from "../ports/store.ts";
import { uuidv7 } from "../protocol/id.ts";
import type { Memory } from "../protocol/shapes.ts";
import { type Database, isId, type Transaction } from "./database.ts";
import { statement } from "./statement.ts";
import { decodeCursor, pageOf } from "./store.cursor.ts";
import { answered, insertKey, type KeyParams, keyParams } from "./store.idempotency.ts";
import { iso } from "./store.rows.ts";

/** Of one user, the newest ones: no search looks further back. */
const MOST_SEARCHED = 5_000;
/** That one call forgets. */
const MOST_FORGOTTEN = 50;

interface MemoryRow {
  readonly id: string;
  readonly text: string;
  readonly createdAt: Date;
}
const memoryFields = sql.raw('m.id, m.text, m.created_at as "createdAt"');
const toMemory = ({ id, text, createdAt }: MemoryRow): Memory => ({ id, text, createdAt: iso(createdAt) });

/**
 * A text, or what is looked for, as its words are compared: letters and digits alone, so that nothing is left for a
 * database's locale to decide. Scripts without spaces between words are compared letter by letter.
 */
const fold = (text: string): string =>
  text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .replaceAll(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/gu, " $& ")
    .toLowerCase();

const wordsOf = (folded: unknown) => sql`to_tsvector('simple'::regconfig, ${folded}::text)`;

const insertMemory = statement<Scope & { id: string; text: string; folded: string }, MemoryRow>(
  "insert_memory",
  (p) => sql`
    insert into memories as m (id, tenant_id, user_id, text, words, created_at)
    values (${p.id}, ${p.tenantId}, ${p.userId}, ${p.text}, ${wordsOf(p.folded)}, now())
    returning ${memoryFields}`,
);
const insertMemoryOnce = statement<KeyParams & { id: string; text: string; folded: string }, { done: number }>(
  "insert_memory_once",
  (p) => sql`
    with key as (${insertKey(p)}),
    made as (
      insert into memories (id, tenant_id, user_id, text, words, created_at)
      select ${p.id}::uuid, ${p.tenantId}::uuid, ${p.userId}::uuid, ${p.text}, ${wordsOf(p.folded)}, now() from key
    )
    select count(*)::int as done from key`,
);
const listMemories = statement<{ time: string; id: string; limit: number }, MemoryRow>(
  "list_memories",
  (p) => sql`
    select ${memoryFields} from memories m
    where m.user_id = parley_user() and (m.created_at, m.id) < (${p.time}::timestamptz, ${p.id}::uuid)
    order by m.created_at desc, m.id desc
    limit ${p.limit}`,
);
const updateMemory = statement<{ id: string; text: string; folded: string }, MemoryRow>(
  "update_memory",
  (p) => sql`
    update memories m set text = ${p.text}, words = ${wordsOf(p.folded)} where m.id = ${p.id}
    returning ${memoryFields}`,
);
const deleteMemory = statement<{ id: string }, { id: string }>(
  "delete_memory",
  (p) => sql`delete from memories where id = ${p.id} returning id`,
);

/** Those that hold most of the words first. */
const searchMemories = statement<{ folded: string; limit: number }, MemoryRow>(
  "search_memories",
  (p) => sql`
    with asked as (select tsvector_to_array(${wordsOf(p.folded)}) as words),
    newest as (
      select * from memories
      where user_id = parley_user()
      order by created_at desc, id desc
      limit ${sql.raw(String(MOST_SEARCHED))}
    )
    select ${memoryFields}
    from newest m, asked, lateral (
      select count(*) as held from unnest(asked.words) word where word = any(tsvector_to_array(m.words))
    ) found
    where found.held > 0 or cardinality(asked.words) = 0
    order by found.held desc, m.created_at desc, m.id desc
    limit ${p.limit}`,
);
/** Those that hold all of the words. */
const forget = statement<{ folded: string; limit: number }, { forgotten: number }>(
  "forget_memories",
  (p) => sql`
    with gone as (
      delete from memories where id in (
        select id from memories
        where user_id = parley_user() and words @@ plainto_tsquery('simple'::regconfig, ${p.folded})
        order by created_at desc, id desc
        limit ${p.limit})
      returning 1
    )
    select count(*)::int as forgotten from gone`,
);

/** As a tool of a run does, in its transaction. */
export async function saveMemory(tx: Transaction, { tenantId, userId }: Scope, text: string): Promise<Memory> {
  const storable = text.replaceAll("\0", "\uFFFD").toWellFormed();
  const memory = { id: uuidv7(), text: storable, folded: fold(storable) };
  const [row] = await tx.run(insertMemory, { tenantId, userId, ...memory });
  if (row === undefined) throw new Error("A memory was not written");
  return toMemory(row);
}

export async function forgetMemories(tx: Transaction, words: string): Promise<number> {
  const [row] = await tx.run(forget, { folded: fold(words), limit: MOST_FORGOTTEN });
  return row?.forgotten ?? 0;
}

export const createMemoryStore = (database: Database): MemoryStore => ({
  async list(scope, { cursor, limit }) {
    const rows = await database.transaction(scope, (tx) =>
      tx.run(listMemories, { ...decodeCursor(cursor), limit: limit + 1 }),
    );
    const { items, nextCursor } = pageOf(rows.map(toMemory), limit, ({ createdAt: time, id }) => ({ time, id }));
    return { memories: items, nextCursor };
  },

  create(scope, { id, text }, idempotency) {
    return database.transaction(scope, async (tx): Promise<Idempotent<Memory>> => {
      await tx.open();
      const memory: Memory = { id, text, createdAt: tx.now };
      const [written] = await tx.run(insertMemoryOnce, {
        ...keyParams(scope, idempotency, memory),
        id,
        text,
        folded: fold(text),
      });
      if (written?.done !== 1) return answered(tx, idempotency);
      return { ok: true, value: memory, repeated: false, announce: [] };
    });
  },

  async update(scope, memoryId, text) {
    if (!isId(memoryId)) return null;
    const [row] = await database.transaction(scope, (tx) =>
      tx.run(updateMemory, { id: memoryId, text, folded: fold(text) }),
    );
    return row === undefined ? null : toMemory(row);
  },

  async delete(scope, memoryId) {
    if (!isId(memoryId)) return false;
    const rows = await database.transaction(scope, (tx) => tx.run(deleteMemory, { id: memoryId }));
    return rows.length > 0;
  },

  async search(scope, words, limit) {
    const rows = await database.transaction(scope, (tx) => tx.run(searchMemories, { folded: fold(words), limit }));
    return rows.map(toMemory);
  },
});
