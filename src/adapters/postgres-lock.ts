/**
 * One process on a database: a session's advisory lock, held by a connection of its own, so that it goes with the
 * process however that ends.
 */
import type { Client } from "pg";
import { toStoreError } from "./database-errors.ts";

/** Any number that no other program on the database uses, and the migrator neither: "Parley" in ASCII. */
const LOCK = "88379461756281";
const RETRY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;

export interface ProcessLock {
  /** Lets the next process in. Idempotent. */
  release(): Promise<void>;
}

/**
 * Rejects, with a sentence, when another process has the lock. When the connection breaks the lock is taken again as
 * soon as the server answers; `onLost` is called when somebody else was faster: this process must stop.
 */
export async function lockDatabase(url: string, onLost: (error: Error) => void): Promise<ProcessLock> {
  let released = false;
  let current = await take(url);
  let retry: NodeJS.Timeout | undefined;

  function watch(client: Client): void {
    client.once("end", () => {
      if (!released) again();
    });
  }
  function again(): void {
    take(url).then(
      async (client) => {
        current = client;
        if (released) await client.end();
        else watch(client);
      },
      (error: unknown) => {
        if (released) return;
        if (error instanceof DatabaseInUseError) onLost(error);
        else retry = setTimeout(again, RETRY_MS).unref();
      },
    );
  }
  watch(current);

  return {
    async release() {
      if (released) return;
      released = true;
      clearTimeout(retry);
      await current.end();
    },
  };
}

export class DatabaseInUseError extends Error {
  override readonly name = "DatabaseInUseError";
}

async function take(url: string): Promise<Client> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({
    connectionString: url,
    application_name: "parley lock",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  // "end" follows and is what counts; an unheard error would end the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ taken: boolean }>(`select pg_try_advisory_lock(${LOCK}) as taken`);
    if (rows[0]?.taken === true) return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw toStoreError(error);
  }
  await client.end();
  throw new DatabaseInUseError(
    "Another Parley works on this database. Stop it, or set REDIS_URL on both to run several nodes.",
  );
}
