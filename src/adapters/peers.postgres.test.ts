import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sql } from "drizzle-orm";
import { peersContract } from "../../test/contracts/peers.ts";
import { migrationsDir } from "../../test/support/pglite.ts";
import { type Postgres, startPostgres } from "../../test/support/postgres.ts";
import { uuidv7 } from "../protocol/id.ts";
import { openPostgres } from "./database.postgres.ts";
import type { Database } from "./database.ts";
import { createPostgresPeers } from "./peers.postgres.ts";
import { statement } from "./statement.ts";

let postgres: Postgres;
let database: Database;
before(async () => {
  postgres = await startPostgres();
  database = await openPostgres({ url: await postgres.createDatabase("parley"), migrationsDir });
});
after(async () => {
  await database.close();
  await postgres.stop();
});

const forgetAll = statement<Record<string, never>, unknown>("test_forget_nodes", () => sql`delete from nodes`);
const insertOld = statement<{ id: string }, unknown>(
  "test_old_node",
  (p) => sql`insert into nodes values (${p.id}::uuid, true, now() - interval '2 hours')`,
);
const countAll = statement<Record<string, never>, { n: number }>(
  "test_count_nodes",
  () => sql`select count(*)::int as n from nodes`,
);

peersContract("peers.postgres", async () => {
  await database.transaction("system", (tx) => tx.run(forgetAll, {}));
  const node = () => createPostgresPeers(database, uuidv7());
  return [node(), node(), node()];
});

test("[R8] peers.postgres: a node that was silent for an hour leaves no row", async () => {
  await database.transaction("system", async (tx) => {
    await tx.run(forgetAll, {});
    for (let i = 0; i < 3; i++) await tx.run(insertOld, { id: uuidv7() });
  });
  assert.equal(await createPostgresPeers(database, uuidv7()).tell(true, 24 * 3_600_000), 3);
  assert.deepEqual(await database.transaction("system", (tx) => tx.run(countAll, {})), [{ n: 1 }]);
});
