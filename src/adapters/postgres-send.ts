import type { Connection, PoolClient, Submittable } from "pg";
import type { Send } from "./step-transaction.ts";
import { BatchAnswer, batchOf, type Column, type Prepared, type Row, type Step } from "./wire-messages.ts";

type ParserOf = (type: number) => (text: string) => unknown;

/** Runs steps on a connection as prepared statements, all of them in one write and one answer. */
export function postgresSend(parserOf: ParserOf): (client: PoolClient) => Send {
  const known = new WeakMap<PoolClient, Prepared>();
  return (client) => {
    const prepared = known.get(client) ?? new Map<string, readonly Column[]>();
    known.set(client, prepared);
    return (steps) =>
      new Promise((resolve, reject) => {
        client.query(new Batch(steps, prepared, parserOf, resolve, reject));
      });
  };
}

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
