/**
 * The folder of an embedded server, held by one process at a time.
 *
 * The lock is the kernel's, on a SQLite file in the folder (`BEGIN EXCLUSIVE`): it is gone the moment the process is,
 * also after kill -9, and it holds between containers that share a volume, where a pid in a file would lie.
 *
 *   data/
 *     lock.db    the lock
 *     postgres/  PGlite's files
 */
import { accessSync, constants, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "../ports/start-error.ts";

export interface DataFolder {
  /** Absolute. */
  readonly path: string;
  readonly postgres: string;
  release(): void;
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Creates the folder when it is missing and takes its lock. Throws `StartError` with what to do about it. */
export function openDataFolder(dir: string): DataFolder {
  const path = resolve(dir);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartError(
      `The data folder ${path} can't be used (${reason(error)}). Set PARLEY_DATA_DIR to a folder this user may write.`,
      { cause: error },
    );
  }
  const lock = takeLock(path);
  return { path, postgres: join(path, "postgres"), release: () => lock.close() };
}

function takeLock(path: string): DatabaseSync {
  const file = join(path, "lock.db");
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database?.close();
    if (/locked|busy/i.test(reason(error))) {
      throw new StartError(
        `Another Parley uses the data folder ${path}. Stop that one first, or set PARLEY_DATA_DIR to another folder.`,
        { cause: error },
      );
    }
    throw new StartError(
      `The lock file ${file} can't be used (${reason(error)}). It holds no data: with no Parley running, delete it.`,
      { cause: error },
    );
  }
}
