import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { generateDrizzleJson, generateMigration } from "drizzle-kit/api";
import { migrationsDir } from "../../test/support/pglite.ts";
import * as schema from "./schema.ts";

test("the migrations are those of the schema: nothing is left to generate", async () => {
  const meta = join(migrationsDir, "meta");
  const newest = readdirSync(meta)
    .filter((file) => file.endsWith("_snapshot.json"))
    .toSorted()
    .at(-1);
  const snapshot = JSON.parse(readFileSync(join(meta, newest ?? ""), "utf8")) as ReturnType<typeof generateDrizzleJson>;
  assert.deepEqual(await generateMigration(snapshot, generateDrizzleJson(schema, snapshot.id)), []);
});
