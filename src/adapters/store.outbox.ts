import { sql } from "drizzle-orm";
import type { Announcement, OutboxStore } from "../ports/store.ts";
import { type Database, isId } from "./database.ts";
import { statement } from "./statement.ts";

const stale = statement<{ olderThanMs: number; limit: number }, Announcement>(
  "stale_outbox",
  (p) => sql`
    select id, tenant_id as "tenantId", topic, event from outbox
    where created_at <= now() - ${p.olderThanMs}::float8 * interval '1 ms'
    order by seq
    limit ${p.limit}`,
);

const clear = statement<{ ids: string[] }, unknown>(
  "clear_outbox",
  (p) => sql`delete from outbox where id = any(${p.ids}::uuid[])`,
);

export const createOutboxStore = (database: Database): OutboxStore => ({
  stale: (olderThanMs, limit) => database.transaction("system", (tx) => tx.last(stale, { olderThanMs, limit })),

  async clear(ids) {
    const known = ids.filter(isId);
    if (known.length > 0) await database.transaction("system", (tx) => tx.last(clear, { ids: known }));
  },
});
