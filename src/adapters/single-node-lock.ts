/**
 * One node on a Postgres without Redis: an advisory lock, held by a connection of its own, keeps a second node away,
 * which would have a log of its own and show its users half of everything.
 *
 * The lock goes with its connection, so a broken one is taken again. If another node was faster, this one has to end;
 * until it does, fences keep its runs harmless [R4].
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { StartError } from "../ports/start-error.ts";
import { databaseUnusable } from "./database-errors.ts";

/** Any constant will do; advisory locks are counted per database. */
const LOCK = [0x7061_726c, 1] as const;
const CONNECT_MS = 5_000;
const RETRY_MS = 1_000;

export interface SingleNodeLock {
  /** Lets the next node in. Idempotent. */
  release(): Promise<void>;
}

/** Rejects with `StartError` when another node holds it. `onLost` is called once, when it can't be had again. */
export async function takeSingleNodeLock(url: string, onLost: (error: StartError) => void): Promise<SingleNodeLock> {
  let released = false;
  let client: Client | undefined;

  const take = async (): Promise<void> => {
    const taken = await locked(url);
    // Released while it was being taken again.
    if (released) return taken.end();
    client = taken;
    taken.once("end", () => {
      if (!released) retake().catch((error: unknown) => onLost(asStartError(error)));
    });
  };
  const retake = async (): Promise<void> => {
    while (!released) {
      try {
        return await take();
      } catch (error) {
        if (released) return;
        if (error instanceof StartError) throw error;
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  };

  await take().catch((error: unknown) => {
    throw databaseUnusable(error);
  });
  return {
    release: async () => {
      released = true;
      await client?.end();
    },
  };
}

async function locked(url: string): Promise<Client> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({
    connectionString: url,
    application_name: "parley-lock",
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: CONNECT_MS,
    keepAlive: true,
  });
  // "end" or a rejection follows and is what counts; an error that nobody hears would end the process.
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ taken: boolean }>("select pg_try_advisory_lock($1, $2) as taken", [...LOCK]);
    if (rows[0]?.taken === true) return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  await client.end();
  throw new StartError(
    "Another Parley uses this database, and without Redis only one may. Stop that one first, or use another database.",
  );
}

const asStartError = (error: unknown): StartError =>
  error instanceof StartError ? error : new StartError("The lock of the database was lost.", { cause: error });
