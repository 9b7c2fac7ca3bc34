/**
 * [W10] One effect a key: the key's row is written by the very statement that has the effect, which does nothing
 * when the row exists. What the first one answered is then read by a second statement, whose snapshot has it.
 */
import { sql } from "drizzle-orm";
import type { Idempotency, Scope } from "../ports/store.ts";
import type { Transaction } from "./database.ts";
import { statement, toJson } from "./statement.ts";

/** How long a key is remembered. A row that waits for the sweeper counts as gone. */
const lifetime = sql.raw(`interval '24 hours'`);

export interface KeyParams {
  readonly tenantId: string;
  readonly userId: string;
  readonly key: string;
  readonly method: string;
  readonly paramsHash: string;
  readonly result: string;
}

export const keyParams = (scope: Scope, { key, method, paramsHash }: Idempotency, result: unknown): KeyParams => ({
  tenantId: scope.tenantId,
  userId: scope.userId,
  key,
  method,
  paramsHash,
  result: toJson(result),
});

/** Returns a row when the key is new. A key that another transaction just writes is waited for. */
export const insertKey = (p: { readonly [K in keyof KeyParams]: unknown }) => sql`
  insert into idempotency_keys as k (tenant_id, user_id, key, method, params_hash, result)
  values (${p.tenantId}, ${p.userId}, ${p.key}, ${p.method}, ${p.paramsHash}, ${p.result}::jsonb)
  on conflict (tenant_id, user_id, key) do update
    set method = excluded.method, params_hash = excluded.params_hash, result = excluded.result, created_at = now()
    where k.created_at <= now() - ${lifetime}
  returning 1`;

/** Of the rows `k`, the one that counts. */
export const isKey = (key: unknown) => sql`
  k.tenant_id = parley_tenant() and k.user_id = parley_user() and k.key = ${key}
    and k.created_at > now() - ${lifetime}`;

export interface KeyRow {
  readonly method: string;
  readonly paramsHash: string;
  readonly result: unknown;
}

const readKey = statement<{ key: string }, KeyRow>(
  "read_key",
  (p) => sql`
    select k.method, k.params_hash as "paramsHash", k.result from idempotency_keys k
    where ${isKey(p.key)}`,
);

type Answered<T> =
  | { readonly ok: true; readonly value: T; readonly repeated: true; readonly announce: readonly [] }
  | { readonly ok: false; readonly reason: "IDEMPOTENCY_MISMATCH" };

/** What was answered under a key that `insertKey` refused. */
export async function answered<T>(tx: Transaction, idempotency: Idempotency): Promise<Answered<T>> {
  const [row] = await tx.run(readKey, { key: idempotency.key });
  if (row === undefined) throw new Error("A key was refused and is not there");
  return repeated<T>(row, idempotency);
}

/** `value` has the type that the method under this key returns; the method is compared. */
export const repeated = <T>(row: KeyRow, { method, paramsHash }: Idempotency): Answered<T> =>
  row.method === method && row.paramsHash === paramsHash
    ? { ok: true, value: row.result as T, repeated: true, announce: [] }
    : { ok: false, reason: "IDEMPOTENCY_MISMATCH" };
