import { type PGlite, parse, protocol } from "@electric-sql/pglite";
import { type Statement, valuesOf } from "./statement.ts";

export type RunStatement = <Params extends object, Row>(
  statement: Statement<Params, Row>,
  params: Params,
) => Promise<Row[]>;

/**
 * Runs statements on PGlite as prepared ones: parsed and planned once, where `PGlite.query` does so each time, which
 * costs several times what running them does.
 */
export function preparedStatements(pglite: PGlite): RunStatement {
  const { serialize } = protocol;
  /** Name of a prepared statement → the types of its parameters. */
  const prepared = new Map<string, readonly number[]>();

  async function prepare(name: string, text: string): Promise<readonly number[]> {
    const { messages } = await pglite.execProtocol(
      Buffer.concat([serialize.parse({ name, text }), serialize.describe({ type: "S", name }), serialize.sync()]),
    );
    const types = parse.parseDescribeStatementResults(messages);
    prepared.set(name, types);
    return types;
  }

  return async <Params extends object, Row>(statement: Statement<Params, Row>, params: Params) => {
    const { name, text } = statement;
    const types = prepared.get(name) ?? (await prepare(name, text));
    const values = valuesOf(statement, params).map((value, index) => {
      if (value === null) return null;
      const type = types[index] ?? 0;
      return pglite.serializers[type]?.(value) ?? value.toString();
    });
    const { messages } = await pglite.execProtocol(
      Buffer.concat([
        serialize.bind({ statement: name, values }),
        serialize.describe({ type: "P" }),
        serialize.execute(),
        serialize.sync(),
      ]),
    );
    return (parse.parseResults(messages, pglite.parsers)[0]?.rows ?? []) as Row[];
  };
}
