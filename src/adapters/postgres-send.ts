import type { Connection, PoolClient, Submittable } from "pg";
import { codeOf } from "./database-errors.ts";
import { rollback, type Send } from "./step-transaction.ts";
import { BatchAnswer, batchOf, type Column, type Prepared, type Row, type Step } from "./wire-messages.ts";

type ParserOf = (type: number) => (text: string) => unknown;

/** invalid_sql_statement_name: a pooler has reset the connection, or has put another behind it. */
const FORGOTTEN = "26000";

/**
 * Runs steps on a connection as prepared statements, all of them in one write and one answer. One that has forgotten
 * its statements is taught them again, and what opened a transaction, which is all that is lost, is done once more. In a
 * transaction that was open before, it rejects.
 */
export function postgresSend(parserOf: ParserOf): (client: PoolClient) => Send {
  const known = new WeakMap<PoolClient, Prepared>();
  return (client) => {
    const prepared = known.get(client) ?? new Map<string, readonly Column[]>();
    known.set(client, prepared);
    const once: Send = (steps) =>
      new Promise((resolve, reject) => {
        client.query(new Batch(steps, prepared, parserOf, resolve, reject));
      });
    return (steps) =>
      once(steps).catch(async (error: unknown) => {
        if (codeOf(error) !== FORGOTTEN) throw error;
        prepared.clear();
        if (!opens(steps)) throw error;
        return (await once([rollback, ...steps])).slice(1);
      });
  };
}

const opens = ([first]: readonly Step[]): boolean => first?.text.startsWith("begin ") ?? false;

/** What pg calls of a query of somebody else's making, such as those of its cursors. */
class Batch implements Submittable {
  /** pg puts its time limit around it. */
  callback: (error: Error | null) => void;
  readonly #steps: readonly Step[];
  readonly #prepared: Prepared;
  readonly #parserOf: ParserOf;
  readonly #answer: BatchAnswer;
  #unread: Error | undefined;

  constructor(
    steps: readonly Step[],
    prepared: Prepared,
    parserOf: ParserOf,
    resolve: (rows: readonly (readonly Row[])[]) => void,
    reject: (error: Error) => void,
  ) {
    this.#steps = steps;
    this.#prepared = prepared;
    this.#parserOf = parserOf;
    this.#answer = new BatchAnswer(steps, prepared);
    this.callback = (error) => (error === null ? resolve(this.#answer.rows) : reject(error));
  }

  submit({ stream }: Connection): null {
    stream.write(batchOf(this.#steps, ({ name }) => !this.#prepared.has(name)));
    return null;
  }

  handleRowDescription({
    fields,
  }: {
    readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
  }): void {
    this.#answer.described(fields.map(({ name, dataTypeID }) => ({ name, parse: this.#parserOf(dataTypeID) })));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    try {
      this.#answer.row(fields);
    } catch (error) {
      this.#unread ??= error instanceof Error ? error : new Error("A row could not be read", { cause: error });
    }
  }

  handleCommandComplete(): void {
    this.#answer.completed();
  }

  handleEmptyQuery(): void {
    this.#answer.completed();
  }

  handleError(error: Error): void {
    this.callback(this.#unread ?? error);
  }

  handleReadyForQuery(): void {
    this.callback(this.#unread ?? null);
  }
}
