import { randomUUID } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openPglite } from "../../src/adapters/database.pglite.ts";
import type { Database } from "../../src/adapters/database.ts";
import { initialise } from "../../src/adapters/pglite-folder.ts";
import { tempDir } from "./temp-dir.ts";

const root = join(import.meta.dirname, "../..");
const cache = join(root, "node_modules/.cache/parley");

export const migrationsDir = join(root, "migrations");

/** A folder with an empty database, made once an installation: initdb takes seconds, a copy takes a moment. */
async function template(): Promise<string> {
  const manifest = readFileSync(join(root, "node_modules/@electric-sql/pglite/package.json"), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  const path = join(cache, `pglite-${version}`);
  if (existsSync(path)) return path;

  // Several test processes may find it missing: each makes its own, and the first rename wins.
  const own = join(cache, randomUUID());
  mkdirSync(cache, { recursive: true });
  await initialise(own);
  try {
    renameSync(own, path);
  } catch (error) {
    rmSync(own, { recursive: true });
    if (!existsSync(path)) throw error;
  }
  return path;
}

/** Puts an empty database into a new folder. */
export async function preparePglite(path: string): Promise<void> {
  cpSync(await template(), path, { recursive: true });
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
