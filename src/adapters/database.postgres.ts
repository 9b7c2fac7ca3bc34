/** A PostgreSQL server, 15 or later, through a bounded pool. Every wait has a limit. */
import type { Client, ClientConfig, Pool, PoolClient, QueryResult } from "pg";
import { ParleyError } from "../protocol/errors.ts";
import { breaksConnection, toStoreError } from "./database-errors.ts";
import { changing, type Database, openedAt, opening, type Transaction } from "./database.ts";
import { migrate } from "./migrator.ts";
import { type Statement, valuesOf } from "./statement.ts";

export interface PostgresOptions {
  readonly url: string;
  readonly migrationsDir: string;
  /** Connections of this process. */
  readonly maxConnections?: number;
  /** Transactions that may wait for a connection; more are refused with UNAVAILABLE. */
  readonly maxWaiting?: number;
  /** Longest wait for a connection, and for a server to answer the first time. */
  readonly connectTimeoutMs?: number;
  /** Longest statement, by the server's clock; a client gives up one second later. */
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  /** Is told of connections that broke while nobody used them. */
  readonly onIdleError?: (error: Error) => void;
}

export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const {
    url,
    migrationsDir,
    maxConnections = 10,
    maxWaiting = 1_000,
    connectTimeoutMs = 5_000,
    statementTimeoutMs = 10_000,
    lockTimeoutMs = 5_000,
    onIdleError = () => undefined,
  } = options;
  const { default: pg } = await import("pg");
  const connection: ClientConfig = {
    connectionString: url,
    application_name: "parley",
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
  };
  await migrateServer(new pg.Client(connection), migrationsDir);

  const pool = new pg.Pool({
    ...connection,
    max: maxConnections,
    idleTimeoutMillis: 60_000,
    // Every statement has its index; a plan made while a table was small is kept, and must stay right when it grows.
    options: "-c enable_seqscan=off",
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    // The server's own limit comes first; this one is for a server that is gone without a word.
    query_timeout: statementTimeoutMs + 1_000,
  });
  // Unheard, a connection that breaks would end the process: in the pool, and in use between two statements, where
  // the next of them rejects.
  pool.on("error", (error: Error & { client?: unknown }) => {
    // The pool hangs the whole connection onto it, kilobytes of a log line.
    delete error.client;
    onIdleError(error);
  });
  pool.on("connect", (client) => client.on("error", () => undefined));
  return postgresDatabase(pool, maxWaiting);
}

async function migrateServer(client: Client, migrationsDir: string): Promise<void> {
  // Rejected queries tell the same; an unheard event would end the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await migrate(
      {
        exec: async (text) => all(await client.query<Record<string, unknown>>(text)).at(-1)?.rows ?? [],
        query: async (text, values) => (await client.query<Record<string, unknown>>(text, values)).rows,
      },
      migrationsDir,
    );
  } catch (error) {
    throw toStoreError(error);
  } finally {
    await client.end();
  }
}

/** pg answers several statements with an array, whatever its types say. */
const all = <Row extends object>(result: QueryResult<Row> | QueryResult<Row>[]): QueryResult<Row>[] =>
  Array.isArray(result) ? result : [result];

function postgresDatabase(pool: Pool, maxWaiting: number): Database {
  let closing: Promise<void> | undefined;

  function admit(): void {
    if (closing !== undefined) throw new ParleyError("UNAVAILABLE", { message: "The server is stopping." });
    if (pool.waitingCount >= maxWaiting) {
      throw new ParleyError("UNAVAILABLE", { message: "The database has too much to do right now; try again." });
    }
  }

  return {
    async transaction(access, work, options) {
      const begin = opening(access, options);
      let client: PoolClient | undefined;
      try {
        admit();
        client = await pool.connect();
        const used = client;
        const tx: Transaction = {
          now: openedAt(all(await used.query(begin))),
          run: async <Params extends object, Row>(statement: Statement<Params, Row>, params: Params) => {
            const { name, text } = statement;
            const result = await used.query({ name, text, values: valuesOf(statement, params) });
            return result.rows as Row[];
          },
          become: async (other) => {
            await used.query(changing(other));
          },
        };
        const result = await work(tx);
        await used.query("commit");
        used.release();
        return result;
      } catch (error) {
        if (client !== undefined) await giveBack(client, error);
        throw toStoreError(error);
      }
    },

    async probe(timeoutMs) {
      const timer = Promise.withResolvers<never>();
      const timeout = setTimeout(() => timer.reject(new ParleyError("UNAVAILABLE")), timeoutMs);
      try {
        admit();
        await Promise.race([pool.query("select 1"), timer.promise]);
      } catch (error) {
        throw toStoreError(error);
      } finally {
        clearTimeout(timeout);
      }
    },

    maintain: () => Promise.resolve(),

    close() {
      closing ??= pool.end();
      return closing;
    },
  };
}

/** After a failure: rolled back and usable again, or destroyed where that can't be known. */
async function giveBack(client: PoolClient, error: unknown): Promise<void> {
  if (error instanceof Error && breaksConnection(error)) {
    client.release(true);
    return;
  }
  try {
    await client.query("rollback");
    client.release();
  } catch {
    client.release(true);
  }
}
