import { cpSync } from "node:fs";
import { join } from "node:path";
import { emptyDatabase } from "../../scripts/empty-database.ts";
import { openPglite } from "../../src/adapters/database.pglite.ts";
import type { Database } from "../../src/adapters/database.ts";
import { tempDir } from "./temp-dir.ts";

const root = join(import.meta.dirname, "../..");

export const migrationsDir = join(root, "migrations");

/** Puts an empty database into a new folder. */
export async function preparePglite(path: string): Promise<void> {
  cpSync((await emptyDatabase()).folder, path, { recursive: true });
}

/** A folder with an empty database of this test's own; gone when the process has ended. */
export async function pgliteFolder(): Promise<string> {
  const path = join(tempDir("parley-pglite-").path, "db");
  await preparePglite(path);
  return path;
}

/** A PGlite of this test's own, migrated. */
export const openTestPglite = async (): Promise<Database> =>
  openPglite({ dataDir: await pgliteFolder(), migrationsDir });
