/** An empty embedded database, to be copied: initdb takes seconds, a copy takes a moment. */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { initialise } from "../src/adapters/pglite-folder.ts";

const root = join(import.meta.dirname, "..");
const cache = join(root, "node_modules/.cache/parley");

export interface EmptyDatabase {
  readonly folder: string;
  /** Of the PGlite that made it. */
  readonly version: string;
}

/** Made once an installation. */
export async function emptyDatabase(): Promise<EmptyDatabase> {
  const manifest = readFileSync(join(root, "node_modules/@electric-sql/pglite/package.json"), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  const folder = join(cache, `pglite-${version}`);
  if (existsSync(folder)) return { folder, version };

  const own = join(cache, randomUUID());
  mkdirSync(cache, { recursive: true });
  await initialise(own);
  put(own, folder);
  return { folder, version };
}

/** Moves a folder to its place. Several processes may do so at once: the first one wins. */
export function put(own: string, place: string): void {
  try {
    renameSync(own, place);
  } catch (error) {
    rmSync(own, { recursive: true });
    if (!existsSync(place)) throw error;
  }
}
