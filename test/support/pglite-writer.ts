/**
 * A process that commits conversations for ever and writes the id of each to its standard output once the commit has
 * been acknowledged. Arguments: the folder, the tenant's id, the user's id.
 */
import { writeSync } from "node:fs";
import { openPglite } from "../../src/adapters/database.pglite.ts";
import { createStore } from "../../src/adapters/store.drizzle.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import { migrationsDir } from "./pglite.ts";

const [dataDir = "", tenantId = "", userId = ""] = process.argv.slice(2);
const store = createStore(await openPglite({ dataDir, migrationsDir }));
for (;;) {
  const id = uuidv7();
  const input = { id, title: "x".repeat(1 + Math.floor(Math.random() * 5_000)), model: null };
  await store.conversations.create({ tenantId, userId }, input, undefined);
  writeSync(1, `${id}\n`);
}
