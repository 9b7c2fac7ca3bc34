import { type Placeholder, type SQL, sql } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";

/** A statement, translated to text once. `Row` is what it returns, as the drivers parse it. */
export interface Statement<Params, Row> {
  /** Names the prepared statement on a server. */
  readonly name: string;
  readonly text: string;
  /** For $1, $2 … the member of the params that goes there. */
  readonly order: readonly (keyof Params & string)[];
  /** Carries the type only. */
  readonly row?: Row;
}

/** Placeholders by name: `p.conversationId` in the template is a parameter, never text. */
type Placeholders<Params> = { readonly [K in keyof Params & string]: Placeholder<K> };

const dialect = new PgDialect();

/** The params are `Value`s, JSON among them as text (`toJson`). One whose type the statement doesn't tell needs a cast. */
export function statement<Params extends object, Row>(
  name: string,
  build: (p: Placeholders<Params>) => SQL,
): Statement<Params, Row> {
  const placeholders = new Proxy({} as Placeholders<Params>, {
    get: (_, key) => sql.placeholder(String(key)),
  });
  const { sql: text, params } = dialect.sqlToQuery(build(placeholders));
  return { name, text, order: params.map((param) => (param as Placeholder<keyof Params & string>).name) };
}

export type Value = string | number | boolean | readonly string[] | null;

export const valuesOf = <Params extends object>({ order }: Statement<Params, unknown>, params: Params): Value[] =>
  order.map((key) => params[key] as Value);

/**
 * JSON that jsonb takes: U+0000 and lone surrogates, which it refuses, become U+FFFD. Every replacement is one UTF-16
 * unit for one, so that offsets into a text stay right.
 */
export function toJson(value: unknown): string {
  const json = JSON.stringify(value);
  return json.includes("\\u") ? JSON.stringify(value, (_, inner: unknown) => clean(inner)) : json;
}

function clean(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  // A model names the arguments of its calls as it likes.
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanText(key), inner]));
}

const cleanText = (text: string): string => text.replaceAll("\0", "\uFFFD").toWellFormed();
