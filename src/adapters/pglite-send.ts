import type { PGlite } from "@electric-sql/pglite";
import type { Send } from "./step-transaction.ts";
import { BatchAnswer, batchOf, type Column, type Prepared } from "./wire-messages.ts";

/** A message of the server's, as PGlite reads them; of its own classes one module exports the types and none the rest. */
interface Message {
  readonly name: string;
  readonly fields?: readonly unknown[];
}

/**
 * Runs steps on PGlite as prepared statements, parsed and planned once, where `PGlite.query` and `exec` do so each time,
 * which costs several times what running them does. Beside its locks: whoever calls it does one thing at a time.
 */
export function pgliteSend(pglite: PGlite): Send {
  const prepared: Prepared = new Map();
  const asIs = (text: string): string => text;

  const columnOf = (field: unknown): Column => {
    const { name, dataTypeID } = field as { readonly name: string; readonly dataTypeID: number };
    const parse = pglite.parsers[dataTypeID];
    return { name, parse: parse === undefined ? asIs : (text) => parse(text, dataTypeID) };
  };

  return async (steps) => {
    const answer = new BatchAnswer(steps, prepared);
    // Its files are the host's, which has what was written: there is nothing to carry over.
    const messages = await pglite.execProtocolStream(
      batchOf(steps, ({ name }) => !prepared.has(name)),
      { syncToFs: false },
    );
    for (const { name, fields = [] } of messages as readonly Message[]) {
      if (name === "rowDescription") answer.described(fields.map(columnOf));
      else if (name === "dataRow") answer.row(fields as readonly (string | null)[]);
      else if (name === "commandComplete") answer.completed();
    }
    return answer.rows;
  };
}
