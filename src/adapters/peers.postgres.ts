/** How the nodes are, in the database: a row for each node. */
import { sql } from "drizzle-orm";
import { FORGOTTEN_MS, type Peers } from "../ports/peers.ts";
import type { Database } from "./database.ts";
import { statement } from "./statement.ts";

const tell = statement<{ node: string; fit: boolean }, unknown>(
  "tell_node",
  (p) => sql`
    insert into nodes (id, fit, told_at) values (${p.node}::uuid, ${p.fit}::boolean, now())
    on conflict (id) do update set fit = excluded.fit, told_at = excluded.told_at`,
);

/** Those that are gone for long are removed by whoever comes first. */
const others = statement<{ node: string; youngerThanMs: number; forgottenMs: number }, { fit: number }>(
  "fit_nodes",
  (p) => sql`
    with gone as (
      delete from nodes where id = any(array(
        select id from nodes where told_at <= now() - ${p.forgottenMs}::float8 * interval '1 ms'
        for update skip locked))
    )
    select count(*)::int as fit from nodes
    where id <> ${p.node}::uuid and fit and told_at > now() - ${p.youngerThanMs}::float8 * interval '1 ms'`,
);

/** `node` is an id, unique to this start. */
export const createPostgresPeers = (database: Pick<Database, "transaction">, node: string): Peers => ({
  tell: (fit, youngerThanMs) =>
    database.transaction("system", async (tx) => {
      await tx.run(tell, { node, fit });
      const [row] = await tx.last(others, { node, youngerThanMs, forgottenMs: FORGOTTEN_MS });
      return row?.fit ?? 0;
    }),
});
