/** Texts that a person keeps to begin messages with. */
import { sql } from "drizzle-orm";
import type { PromptStore } from "../ports/library-store.ts";
import type { Idempotent, Scope } from "../ports/store.ts";
import { MAX_PROMPTS, type Prompt } from "../protocol/shapes.ts";
import { type Database, isId } from "./database.ts";
import { statement } from "./statement.ts";
import { decodeCursor, pageOf } from "./store.cursor.ts";
import { answered, insertKey, isKey, type KeyParams, keyParams } from "./store.idempotency.ts";
import { iso } from "./store.rows.ts";

interface PromptRow {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly createdAt: Date;
}
const toPrompt = ({ id, name, text, createdAt }: PromptRow): Prompt => ({ id, name, text, createdAt: iso(createdAt) });

const listPrompts = statement<{ time: string; id: string; limit: number }, PromptRow>(
  "list_prompts",
  (p) => sql`
    select p.id, p.name, p.text, p.created_at as "createdAt" from prompts p
    where p.user_id = parley_user() and (p.created_at, p.id) < (${p.time}::timestamptz, ${p.id}::uuid)
    order by p.created_at desc, p.id desc
    limit ${p.limit}`,
);
const findPrompt = statement<{ id: string; key: string }, { count: number; known: boolean; createdAt: Date | null }>(
  "find_prompt",
  (p) => sql`
    select (select count(*)::int from prompts p where p.user_id = parley_user()) as count,
      exists (select from idempotency_keys k where ${isKey(p.key)}) as known,
      (select p.created_at from prompts p where p.id = ${p.id}::uuid) as "createdAt"`,
);
const savePrompt = statement<
  Scope & KeyParams & { id: string; name: string; text: string; createdAt: string },
  { done: number }
>(
  "save_prompt",
  (p) => sql`
    with key as (${insertKey(p)}),
    saved as (
      insert into prompts (id, tenant_id, user_id, name, text, created_at)
      select ${p.id}::uuid, ${p.tenantId}::uuid, ${p.userId}::uuid, ${p.name}, ${p.text}, ${p.createdAt}::timestamptz
      from key
      on conflict (id) do update set name = excluded.name, text = excluded.text
    )
    select count(*)::int as done from key`,
);
const deletePrompt = statement<{ id: string }, { id: string }>(
  "delete_prompt",
  (p) => sql`delete from prompts where id = ${p.id} returning id`,
);

type Saved = Idempotent<Prompt> | { readonly ok: false; readonly reason: "NOT_FOUND" | "TOO_MANY" };

export const createPromptStore = (database: Database): PromptStore => ({
  async list(scope, { cursor, limit }) {
    const rows = await database.transaction(scope, (tx) =>
      tx.run(listPrompts, { ...decodeCursor(cursor), limit: limit + 1 }),
    );
    const { items, nextCursor } = pageOf(rows.map(toPrompt), limit, ({ createdAt: time, id }) => ({ time, id }));
    return { prompts: items, nextCursor };
  },

  async save(scope, { id, promptId, name, text }, idempotency) {
    if (promptId !== undefined && !isId(promptId)) return { ok: false, reason: "NOT_FOUND" };
    return database.transaction(scope, async (tx): Promise<Saved> => {
      const [before] = await tx.run(findPrompt, { id: promptId ?? id, key: idempotency.key });
      const createdAt = before?.createdAt ?? null;
      if (before?.known !== true) {
        if (promptId !== undefined && createdAt === null) return { ok: false, reason: "NOT_FOUND" };
        if (promptId === undefined && (before?.count ?? 0) >= MAX_PROMPTS) return { ok: false, reason: "TOO_MANY" };
      }
      const prompt: Prompt = {
        id: promptId ?? id,
        name,
        text,
        createdAt: createdAt === null ? tx.now : iso(createdAt),
      };
      const [written] = await tx.run(savePrompt, { ...keyParams(scope, idempotency, prompt), ...prompt });
      if (written?.done !== 1) return answered(tx, idempotency);
      return { ok: true, value: prompt, repeated: false, announce: [] };
    });
  },

  async delete(scope, promptId) {
    if (!isId(promptId)) return false;
    const rows = await database.transaction(scope, (tx) => tx.run(deletePrompt, { id: promptId }));
    return rows.length > 0;
  },
});
