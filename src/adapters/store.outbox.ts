import { sql } from "drizzle-orm";
import type { Announcement, OutboxStore } from "../ports/store.ts";
import type { ParleyEvent } from "../protocol/events.ts";
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

/** Step by step, each by its index: asked for at once, it is planned as a walk through all of the outbox in its order. */
const upTo = statement<{ ids: string[]; limit: number }, Announcement<ParleyEvent | null>>(
  "outbox_up_to",
  (p) => sql`
    with last as materialized (
      select topic, max(seq) as seq from outbox where id = any(${p.ids}::uuid[]) group by topic
    ), found as materialized (
      select o.* from last cross join lateral (
        select id, tenant_id, topic, seq, event from outbox
        where topic = last.topic and seq <= last.seq
        order by topic, seq limit ${p.limit}) o
    )
    select id, tenant_id as "tenantId", topic, case when id = any(${p.ids}::uuid[]) then null else event end as event
    from found
    order by seq
    limit ${p.limit}`,
);

const clear = statement<{ ids: string[] }, unknown>(
  "clear_outbox",
  (p) => sql`delete from outbox where id = any(${p.ids}::uuid[])`,
);

export const createOutboxStore = (database: Database): OutboxStore => ({
  stale: (olderThanMs, limit) => database.transaction("system", (tx) => tx.last(stale, { olderThanMs, limit })),

  async upTo(ids, limit) {
    const known = ids.filter(isId);
    if (known.length === 0) return [];
    return database.transaction("system", (tx) => tx.last(upTo, { ids: known, limit }));
  },

  async clear(ids) {
    const known = ids.filter(isId);
    if (known.length > 0) await database.transaction("system", (tx) => tx.last(clear, { ids: known }));
  },
});
