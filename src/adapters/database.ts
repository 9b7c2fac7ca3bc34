/**
 * The seam between the statements and the two databases they run on.
 *
 *   store.*.ts ── transaction(access, work) ──▶ database.pglite.ts | database.postgres.ts
 *
 * Contract:
 * - `work` sees one transaction and awaits nothing but its statements; it may run again from its start. The
 *   transaction begins with its first statement.
 * - It works as `parley_app`, bound by row-level security to the scope, as `parley_reader`, bound to what a link opens,
 *   as `parley_purger`, which sees what is to be removed for good, or as `parley_system`.
 * - A failure that may pass (no connection, a time-out, a deadlock, a full queue) rejects with UNAVAILABLE, and then
 *   nothing was changed unless the connection was lost during the commit: unknown.
 */
import type { Reader } from "../ports/store.ts";
import type { Statement } from "./statement.ts";

export type Access = Reader | "system" | "purger";

export interface TransactionOptions {
  /** A conversation whose row is locked before the first statement; not an error when it is not visible. */
  readonly lock?: string;
  /** Every statement sees the same state; nothing can be written. */
  readonly snapshot?: boolean;
  /** Nothing can be written: what tries to fails with 25006. */
  readonly readOnly?: boolean;
}

export interface Transaction {
  /**
   * The transaction's time by the database's clock, ISO 8601 UTC with milliseconds; equals now() in statements. Known
   * once the first of them has run, or `open` has.
   */
  readonly now: string;
  /** Begins it, for work that needs its time before its first statement; a round trip of its own. */
  open(): Promise<void>;
  run<Params extends object, Row>(statement: Statement<Params, Row>, params: Params): Promise<Row[]>;
  /** The same, and commits in the same round trip: nothing may be run after it. */
  last<Params extends object, Row>(statement: Statement<Params, Row>, params: Params): Promise<Row[]>;
  /** Goes on as somebody else, from the next statement on. */
  become(access: Access): void;
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
