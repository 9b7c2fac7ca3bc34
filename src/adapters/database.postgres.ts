/** A PostgreSQL server, 15 or later, through a bounded pool. Every wait has a limit. */
import type { Client, ClientConfig, Pool, PoolClient, QueryResult } from "pg";
import { StartError } from "../ports/start-error.ts";
import { ParleyError } from "../protocol/errors.ts";
import { breaksConnection, toStoreError } from "./database-errors.ts";
import { type Access, type Database, planning } from "./database.ts";
import { migrate } from "./migrator.ts";
import { postgresSend } from "./postgres-send.ts";
import { type Send, StepTransaction } from "./step-transaction.ts";

const OLDEST = 150_000;
/** More that may wait of the server's own: a flood of requests must not cost runs their leases. */
const RESERVED = 500;
/** Longest wait for one statement of the migrations, the wait for another start that migrates included. */
const MIGRATION_MS = 10 * 60_000;

export interface PostgresOptions {
  readonly url: string;
  /** undefined for a standby, which gets its tables from its primary: nothing is asked of it before it is used. */
  readonly migrationsDir: string | undefined;
  /** Connections of this process. */
  readonly maxConnections?: number;
  /** Transactions of requests that may wait for a connection; more are refused with UNAVAILABLE. */
  readonly maxWaiting?: number;
  /** Longest wait for a connection, and for a server to answer the first time. */
  readonly connectTimeoutMs?: number;
  /** Longest statement, by the server's clock; a client gives up one second later. */
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  /** Is told of connections that broke while nobody used them. */
  readonly onIdleError?: (error: Error) => void;
}

/** A database server: it knows which deployment it belongs to, and has standbys. */
export interface PostgresDatabase extends Database {
  /** Of the database and its copies, for as long as it lives: when its first migration was applied. */
  readonly deployment: string;
}

export async function openPostgres(options: PostgresOptions): Promise<PostgresDatabase> {
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
  const client = new pg.Client({ ...connection, query_timeout: MIGRATION_MS });
  const deployment = migrationsDir === undefined ? "" : await migrateServer(client, migrationsDir);

  const pool = new pg.Pool({
    ...connection,
    max: maxConnections,
    idleTimeoutMillis: 60_000,
    options: Object.entries(planning)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(" "),
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
  if (migrationsDir !== undefined) await tryConnection(pool);
  const columnParser = (type: number) => pg.types.getTypeParser(type, "text");
  return { ...postgresDatabase(pool, postgresSend(columnParser), maxWaiting), deployment };
}

/** Of the settings that each connection asks for, a pooler may know none, and refuse every one that asks. */
async function tryConnection(pool: Pool): Promise<void> {
  try {
    (await pool.connect()).release();
  } catch (error) {
    await pool.end();
    const refused = /unsupported startup parameter.*/i.exec(error instanceof Error ? error.message : "")?.[0];
    if (refused === undefined) throw toStoreError(error);
    throw new StartError(
      `The pooler before PostgreSQL refuses the settings of a connection (${refused}). Let it ignore them, and give ` +
        `them to the database user instead: docs/operating.md, "Behind a pooler".`,
      { cause: error },
    );
  }
}

async function migrateServer(client: Client, migrationsDir: string): Promise<string> {
  // Rejected queries tell the same; an unheard event would end the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows: versions } = await client.query<{ server_version_num: string }>("show server_version_num");
    const tooOld = versionProblem(Number(versions[0]?.server_version_num));
    if (tooOld !== undefined) throw new StartError(tooOld);
    await migrate(
      {
        exec: async (text) => all(await client.query<Record<string, unknown>>(text)).at(-1)?.rows ?? [],
        query: async (text, values) => (await client.query<Record<string, unknown>>(text, values)).rows,
      },
      migrationsDir,
    );
    const { rows } = await client.query<{ id: string }>(
      "select to_char(min(applied_at) at time zone 'utc', 'YYYYMMDD.HH24MISS.US') as id from parley_migrations",
    );
    return rows[0]?.id ?? "";
  } catch (error) {
    throw toStoreError(error);
  } finally {
    await client.end();
  }
}

/** What an operator has to mend, or undefined. `version` is PostgreSQL's server_version_num: 150004 is 15.4. */
export const versionProblem = (version: number): string | undefined =>
  version >= OLDEST
    ? undefined
    : `PostgreSQL ${Math.floor(version / 10_000)} is too old: version ${OLDEST / 10_000} or newer is needed.`;

/** pg answers several statements with an array, whatever its types say. */
const all = <Row extends object>(result: QueryResult<Row> | QueryResult<Row>[]): QueryResult<Row>[] =>
  Array.isArray(result) ? result : [result];

function postgresDatabase(pool: Pool, send: (client: PoolClient) => Send, maxWaiting: number): Database {
  let closing: Promise<void> | undefined;

  function admit(access: Access): void {
    if (closing !== undefined) throw new ParleyError("UNAVAILABLE", { message: "The server is stopping." });
    if (pool.waitingCount >= (access === "system" ? maxWaiting + RESERVED : maxWaiting)) {
      throw new ParleyError("UNAVAILABLE", { message: "The database has too much to do right now; try again." });
    }
  }

  return {
    async transaction(access, work, options) {
      let client: PoolClient | undefined;
      let tx: StepTransaction | undefined;
      try {
        admit(access);
        client = await pool.connect();
        tx = new StepTransaction(send(client), access, options);
        const result = await work(tx);
        await tx.commit();
        client.release();
        return result;
      } catch (error) {
        if (client !== undefined) await giveBack(client, tx, error);
        throw toStoreError(error);
      }
    },

    async probe(timeoutMs) {
      const timer = Promise.withResolvers<never>();
      const timeout = setTimeout(() => timer.reject(new ParleyError("UNAVAILABLE")), timeoutMs);
      try {
        admit("system");
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
async function giveBack(client: PoolClient, tx: StepTransaction | undefined, error: unknown): Promise<void> {
  if (error instanceof Error && breaksConnection(error)) {
    client.release(true);
    return;
  }
  try {
    await tx?.rollback();
    client.release();
  } catch {
    client.release(true);
  }
}
