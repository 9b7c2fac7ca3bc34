/**
 * The embedded database: Postgres 18 in WebAssembly, one connection in this process. The caller holds the lock of
 * the folder; PGlite has none.
 *
 * A commit is acknowledged when its write-ahead log is in the operating system's hands: kill -9 loses nothing, a
 * power cut may lose the newest transactions, as PGlite runs without fsync.
 */
import type { PGlite } from "@electric-sql/pglite";
import { StartError } from "../ports/start-error.ts";
import { ParleyError } from "../protocol/errors.ts";
import { isReadOnly, toStoreError } from "./database-errors.ts";
import { type Database, planning } from "./database.ts";
import { diskFull, DiskSpace, freeBytesOf, LEAST_FREE_BYTES } from "./disk-space.ts";
import { migrate } from "./migrator.ts";
import { openFolder } from "./pglite-folder.ts";
import { type Send, StepTransaction } from "./step-transaction.ts";

export interface PgliteOptions {
  /** Folder of the database alone, made when it is missing; in memory when absent. */
  readonly dataDir?: string | undefined;
  /** A folder with an empty database, which a new one is copied from; made anew where there is none. */
  readonly emptyDatabase?: string | undefined;
  readonly migrationsDir: string;
  /** Transactions that may wait for the one connection; more are refused with UNAVAILABLE. */
  readonly maxWaiting?: number;
  /**
   * Write-ahead log, in bytes, after which `maintain` has something to do. PGlite has no background processes: without
   * a checkpoint the log grows for ever, and without a vacuum so do tables whose rows come and go.
   */
  readonly maintainAfterBytes?: number;
  /** What may still be written on the disk of `dataDir`; for tests. */
  readonly freeBytes?: () => number;
}

export async function openPglite(options: PgliteOptions): Promise<Database> {
  const { dataDir, migrationsDir } = options;
  const freeBytes = options.freeBytes ?? (() => (dataDir === undefined ? Infinity : freeBytesOf(dataDir)));
  requireSpace(dataDir, freeBytes);
  const pglite = await openFolder(dataDir, options.emptyDatabase);
  try {
    requireSpace(dataDir, freeBytes);
    await migrate(
      {
        exec: async (text) => (await pglite.exec(text)).at(-1)?.rows ?? [],
        query: async (text, values) => (await pglite.query<Record<string, unknown>>(text, values)).rows,
      },
      migrationsDir,
    );
  } catch (error) {
    await pglite.close();
    throw error;
  }
  const settings = Object.entries(planning).map(([name, value]) => `set ${name} = ${value}`);
  await pglite.exec(settings.join("; "));
  const { pgliteSend } = await import("./pglite-send.ts");
  return pgliteDatabase(pglite, pgliteSend(pglite), await walBytes(pglite), new DiskSpace(freeBytes), options);
}

/** Opening a folder writes, and so does making one. */
function requireSpace(dataDir: string | undefined, freeBytes: () => number): void {
  if (freeBytes() >= LEAST_FREE_BYTES) return;
  const megabytes = LEAST_FREE_BYTES / 1024 / 1024;
  throw new StartError(`The disk of ${dataDir} is full. Make room there: Parley needs ${megabytes} MB to start.`);
}

async function walBytes(pglite: PGlite): Promise<number> {
  const { rows } = await pglite.query<{ bytes: string | number }>(
    "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as bytes",
  );
  return Number(rows[0]?.bytes);
}

/** `checkpointed`: where the log was at the last checkpoint, bytes. */
function pgliteDatabase(
  pglite: PGlite,
  send: Send,
  checkpointed: number,
  space: DiskSpace,
  { maxWaiting = 1_000, maintainAfterBytes = 32 * 1024 * 1024 }: PgliteOptions,
): Database {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let closing: Promise<void> | undefined;

  /** One at a time, in the order of the calls. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (closing !== undefined) throw new ParleyError("UNAVAILABLE", { message: "The server is stopping." });
    if (waiting >= maxWaiting) {
      throw new ParleyError("UNAVAILABLE", { message: "The database has too much to do right now; try again." });
    }
    waiting++;
    const turn = last.then(work);
    last = turn.then(
      () => waiting--,
      () => waiting--,
    );
    return turn;
  }

  const database: Database = {
    transaction(access, work, options) {
      return inTurn(async () => {
        const { low } = space;
        const tx = new StepTransaction(send, access, low ? { ...options, readOnly: true } : options);
        try {
          const result = await work(tx);
          await tx.commit();
          return result;
        } catch (error) {
          await tx.rollback();
          throw low && isReadOnly(error) ? diskFull(error) : toStoreError(error);
        }
      });
    },

    async probe(timeoutMs) {
      const timer = Promise.withResolvers<never>();
      const timeout = setTimeout(() => timer.reject(new ParleyError("UNAVAILABLE")), timeoutMs);
      try {
        await Promise.race([inTurn(() => pglite.query("select 1")), timer.promise]);
        if (space.low) throw diskFull();
      } finally {
        clearTimeout(timeout);
      }
    },

    maintain: () =>
      inTurn(async () => {
        if (space.low) return;
        const position = await walBytes(pglite);
        if (position - checkpointed < maintainAfterBytes) return;
        await pglite.exec(
          "vacuum conversations, messages, runs, steps, approvals, memories, outbox, sessions, idempotency_keys",
        );
        await pglite.exec("checkpoint");
        checkpointed = position;
      }),

    close() {
      closing ??= last.then(() => pglite.close());
      return closing;
    },
  };
  return database;
}
