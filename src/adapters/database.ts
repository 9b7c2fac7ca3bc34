/**
 * The seam between the statements and the two databases they run on.
 *
 *   store.*.ts ── transaction(access, work) ──▶ database.pglite.ts | database.postgres.ts
 *
 * Contract:
 * - `work` sees one transaction and awaits nothing but its statements; it may run again from its start.
 * - It works as `parley_app`, bound by row-level security to the scope, as `parley_reader`, bound to what a link opens,
 *   as `parley_purger`, which sees what is to be removed for good, or as `parley_system`.
 * - A failure that may pass (no connection, a time-out, a deadlock, a full queue) rejects with UNAVAILABLE, and then
 *   nothing was changed unless the connection was lost during the commit: unknown.
 */
import type { Reader } from "../ports/store.ts";
import type { Statement } from "./statement.ts";

export type Access = Reader | "system" | "purger";

export interface TransactionOptions {
  /** A conversation whose row is locked first, in the same round trip; not an error when it is not visible. */
  readonly lock?: string;
  /** Every statement sees the same state; nothing can be written. */
  readonly snapshot?: boolean;
  /** Nothing can be written: what tries to fails with 25006. */
  readonly readOnly?: boolean;
}

export interface Transaction {
  /** The transaction's time by the database's clock, ISO 8601 UTC with milliseconds; equals now() in statements. */
  readonly now: string;
  run<Params extends object, Row>(statement: Statement<Params, Row>, params: Params): Promise<Row[]>;
  /** Goes on as somebody else. */
  become(access: Access): Promise<void>;
}

export interface Database {
  transaction<T>(access: Access, work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Rejects when the database does not answer in time. */
  probe(timeoutMs: number): Promise<void>;
  /** What a database server does by itself and an embedded one is asked to, now and then: returns when it is done. */
  maintain(): Promise<void>;
  /** Waits for what runs; what comes later rejects. Idempotent. */
  close(): Promise<void>;
}

/**
 * Settings of every connection. Each statement is planned once, when the tables may be empty and nothing has been
 * counted; so the plan is the one that stays right when they grow: index look-ups. They are over long before a
 * compiler has paid off.
 */
export const planning: Readonly<Record<string, string>> = {
  plan_cache_mode: "force_generic_plan",
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  jit: "off",
};

const canonicalUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Our ids are UUIDs in lower case; anything else names nothing and never reaches SQL. */
export const isId = (id: string): boolean => canonicalUuid.test(id);

function literal(id: string): string {
  if (!isId(id)) throw new Error(`Not an id: ${JSON.stringify(id.slice(0, 64))}`);
  return `'${id}'`;
}

const sha256 = /^[0-9a-f]{64}$/;

/** One simple query, and so one round trip; the last result with a row says when the transaction began. */
function assume(access: Access): string {
  if (access === "system" || access === "purger") {
    return `set local role parley_${access}; select now()::timestamptz(3) as now`;
  }
  const { tenantId, userId, shareHash } = access;
  if (shareHash !== undefined) {
    if (!sha256.test(shareHash)) throw new Error("Not a hash");
    return (
      "set local role parley_reader; " +
      `select set_config('parley.tenant_id', ${literal(tenantId)}, true), ` +
      `set_config('parley.share', '${shareHash}', true), now()::timestamptz(3) as now`
    );
  }
  return (
    "set local role parley_app; " +
    `select set_config('parley.tenant_id', ${literal(tenantId)}, true), ` +
    `set_config('parley.user_id', ${literal(userId)}, true), now()::timestamptz(3) as now`
  );
}

/**
 * What opens a transaction. The lock is a statement of its own, so that whatever follows sees what its last holder
 * has committed.
 */
export function opening(access: Access, { lock, snapshot, readOnly }: TransactionOptions = {}): string {
  const level = snapshot ? "repeatable read" : "read committed";
  const begin = `begin isolation level ${level}${snapshot || readOnly ? " read only" : ""}`;
  const locking = lock === undefined ? "" : `; select from conversations where id = ${literal(lock)} for update`;
  return `${begin}; ${assume(access)}${locking}`;
}

export const changing = (access: Access): string => assume(access);

/** Reads the time from the results of `opening`. */
export function openedAt(results: readonly { readonly rows: readonly unknown[] }[]): string {
  for (const { rows } of results) {
    const row = rows[0] as { readonly now?: Date } | undefined;
    if (row?.now !== undefined) return row.now.toISOString();
  }
  throw new Error("The opening of a transaction gave no time");
}
