/**
 * Opens the folder of an embedded database and makes it when it is new.
 *
 * A new one is made beside its place and renamed, so that a folder either holds a whole database or none. It is a copy
 * of an empty one that the build made; without that it is made in a child process, because initdb takes 250 MB that
 * WebAssembly never gives back.
 */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, cp, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import type { PGlite } from "@electric-sql/pglite";
import { StartError } from "../ports/start-error.ts";

/** Longest that making a database may take, ms; it needs about four seconds on a slow machine. */
const INIT_TIMEOUT_MS = 120_000;
/** Between the folder's name and a random one: a database that is being made. */
const UNFINISHED = ".new-";
const removal = { recursive: true, force: true, maxRetries: 5 };
/** What this PGlite writes and reads. */
const POSTGRES_VERSION = "18";

/** `emptyDatabase`: a folder to copy, if it is there. */
export async function openFolder(dataDir: string | undefined, emptyDatabase?: string): Promise<PGlite> {
  if (dataDir === undefined) return openPglite("memory://");
  const path = resolve(dataDir);
  await removeUnfinished(path);
  if (!(await hasDatabase(path))) await initialise(path, emptyDatabase);
  try {
    return await openPglite(path);
  } catch (error) {
    throw new StartError(
      `The database in ${path} cannot be opened; its files are damaged. Put a backup of the folder in its place, ` +
        "or move it away to start with an empty one.",
      { cause: error },
    );
  }
}

async function openPglite(dataDir: string): Promise<PGlite> {
  const { PGlite } = await import("@electric-sql/pglite");
  return PGlite.create(dataDir);
}

/** False when there is nothing yet; throws when there is something else. */
async function hasDatabase(path: string): Promise<boolean> {
  const version = await readFile(join(path, "PG_VERSION"), "utf8").catch(() => undefined);
  if (version?.trim() === POSTGRES_VERSION) return true;
  if (version !== undefined) {
    throw new StartError(
      `The database in ${path} was made by Postgres ${version.trim()}, and this program reads ${POSTGRES_VERSION}. ` +
        "Start the version of Parley that made it.",
    );
  }
  const files = await readdir(path).catch(() => []);
  if (files.length > 0) {
    throw new StartError(
      `${path} holds files but no database. Name an empty folder, or put a backup of the database in its place.`,
    );
  }
  return false;
}

/** Makes an empty database at `path`, which is missing or empty; nobody else may enter it. */
export async function initialise(path: string, emptyDatabase?: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}${UNFINISHED}${randomUUID()}`;
  try {
    if (!(await copied(emptyDatabase, temporary))) await makeInChild(temporary);
    await chmod(temporary, 0o700);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, removal);
    throw new StartError(
      `A database could not be made in ${path}. Check that the disk has room (100 MB) and the folder may be written.`,
      { cause: error },
    );
  }
}

/** False when there is none of this version, or it cannot be read. */
async function copied(emptyDatabase: string | undefined, to: string): Promise<boolean> {
  if (emptyDatabase === undefined) return false;
  try {
    const version = await readFile(join(emptyDatabase, "PG_VERSION"), "utf8");
    if (version.trim() !== POSTGRES_VERSION) return false;
    await cp(emptyDatabase, to, { recursive: true });
    return true;
  } catch {
    await rm(to, removal);
    return false;
  }
}

/** What a start left that was killed while it made the database; its child may write on for a moment. */
async function removeUnfinished(path: string): Promise<void> {
  const files = await readdir(dirname(path)).catch(() => []);
  const unfinished = files.filter((name) => name.startsWith(`${basename(path)}${UNFINISHED}`));
  await Promise.all(unfinished.map((name) => rm(join(dirname(path), name), removal)));
}

/** The child's whole program: no file of ours, so that it is the same from source and from a bundle. */
const program = `
const [module, folder] = process.argv.slice(1)
const { PGlite } = await import(module)
await (await PGlite.create(folder)).close()
`;

async function makeInChild(folder: string): Promise<void> {
  const module = import.meta.resolve("@electric-sql/pglite");
  await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program, module, folder], {
    timeout: INIT_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
}
