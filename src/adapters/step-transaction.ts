/**
 * A transaction as steps, few round trips: what opens it goes with its first statement, what changes its role with the
 * statement after that, and its commit with the last one where that is known to be the last.
 */
import { type Access, type Transaction, type TransactionOptions, isId } from "./database.ts";
import { type Statement, valuesOf } from "./statement.ts";
import type { Row as WireRow, Step } from "./wire-messages.ts";

/** One round trip: the rows of each step, or what the first one that failed rejects with. */
export type Send = (steps: readonly Step[]) => Promise<readonly (readonly WireRow[])[]>;

const step = (name: string, text: string) => (values: Step["values"]) => ({ name, text, values });

const isolation = "begin isolation level";
const begin = step("begin", `${isolation} read committed`);
const beginSnapshot = step("begin_snapshot", `${isolation} repeatable read read only`);
const beginReading = step("begin_reading", `${isolation} read committed read only`);
const commit = step("commit", "commit")([]);
export const rollback = step("rollback", "rollback")([]);
/** The role by its setting, which is `set local role` as part of a statement. */
const asServer = step(
  "as_server",
  "select set_config('role', 'parley_' || $1::text, true), now()::timestamptz(3) as now",
);
const asUser = step(
  "as_user",
  `select set_config('role', 'parley_app', true), set_config('parley.tenant_id', $1, true),
    set_config('parley.user_id', $2, true), now()::timestamptz(3) as now`,
);
const asReader = step(
  "as_reader",
  `select set_config('role', 'parley_reader', true), set_config('parley.tenant_id', $1, true),
    set_config('parley.share', $2, true), now()::timestamptz(3) as now`,
);
const lockConversation = step("lock_conversation", "select from conversations where id = $1::uuid for update");

function checked(id: string): string {
  if (!isId(id)) throw new Error(`Not an id: ${JSON.stringify(id.slice(0, 64))}`);
  return id;
}

const sha256 = /^[0-9a-f]{64}$/;

function assume(access: Access): Step {
  if (access === "system" || access === "purger") return asServer([access]);
  const { tenantId, userId, shareHash } = access;
  if (shareHash === undefined) return asUser([checked(tenantId), checked(userId)]);
  if (!sha256.test(shareHash)) throw new Error("Not a hash");
  return asReader([checked(tenantId), shareHash]);
}

/**
 * What opens a transaction. The lock is a statement of its own, so that whatever follows sees what its last holder
 * has committed.
 */
function opening(access: Access, { lock, snapshot, readOnly }: TransactionOptions): Step[] {
  const first = snapshot ? beginSnapshot : readOnly ? beginReading : begin;
  const locking = lock === undefined ? [] : [lockConversation([checked(lock)])];
  return [first([]), assume(access), ...locking];
}

export class StepTransaction implements Transaction {
  readonly #send: Send;
  /** Go before the next statement. */
  #before: Step[];
  #now: string | undefined;
  #state: "new" | "open" | "over" = "new";

  constructor(send: Send, access: Access, options: TransactionOptions = {}) {
    this.#send = send;
    this.#before = opening(access, options);
  }

  get now(): string {
    if (this.#now === undefined) throw new Error("A transaction has no time before its first statement");
    return this.#now;
  }

  async open(): Promise<void> {
    await this.#round([]);
  }

  run<Params extends object, Row>(statement: Statement<Params, Row>, params: Params): Promise<Row[]> {
    return this.#step(statement, params, []);
  }

  async last<Params extends object, Row>(statement: Statement<Params, Row>, params: Params): Promise<Row[]> {
    const rows = await this.#step(statement, params, [commit]);
    this.#state = "over";
    return rows;
  }

  become(access: Access): void {
    this.#before.push(assume(access));
  }

  /** Its work has returned. */
  async commit(): Promise<void> {
    if (this.#state === "open") await this.#send([commit]);
    this.#state = "over";
  }

  /** Its work has failed. */
  async rollback(): Promise<void> {
    if (this.#state === "open") await this.#send([rollback]);
    this.#state = "over";
  }

  async #step<Params extends object, Row>(
    statement: Statement<Params, Row>,
    params: Params,
    after: readonly Step[],
  ): Promise<Row[]> {
    const { name, text } = statement;
    const [rows = []] = await this.#round([{ name, text, values: valuesOf(statement, params) }, ...after]);
    return rows as Row[];
  }

  /** The rows of `steps` alone. */
  async #round(steps: readonly Step[]): Promise<readonly (readonly WireRow[])[]> {
    if (this.#state === "over") throw new Error("A statement came after the last one of its transaction");
    const before = this.#before;
    this.#before = [];
    this.#state = "open";
    const rows = await this.#send([...before, ...steps]);
    this.#now ??= timeOf(rows);
    return rows.slice(before.length);
  }
}

/** Of the steps that opened the transaction. */
function timeOf(rows: readonly (readonly WireRow[])[]): string {
  const now = rows[1]?.[0]?.["now"];
  if (!(now instanceof Date)) throw new Error("The opening of a transaction gave no time");
  return now.toISOString();
}
