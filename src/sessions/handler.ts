import { createHash } from "node:crypto";
import type { Idempotency } from "../ports/store.ts";
import type { MethodName, Params, Result } from "../protocol/methods.ts";
import type { PublicContext, UserContext } from "./user-context.ts";

/** Who may call: `public` without a login, `user` any login, `owner` those with that role. Nothing is public by omission. */
export type Permission = "public" | "user" | "owner";

type ContextOf<P extends Permission> = P extends "public" ? PublicContext : UserContext;

/**
 * One typed method [W1]. Returns the result or throws a `ParleyError`; a result that does not fit the schema does not
 * compile.
 */
export interface Handler<M extends MethodName = MethodName, P extends Permission = Permission> {
  readonly method: M;
  readonly permission: P;
  run(context: ContextOf<P>, params: Params<M>): Result<M> | Promise<Result<M>>;
}

/** A handler file exports an array of these as its default. */
export type AnyHandler = {
  [M in MethodName]: Handler<M, "public"> | Handler<M, "user"> | Handler<M, "owner">;
}[MethodName];

export const defineHandler = <M extends MethodName, P extends Permission>(
  method: M,
  permission: P,
  run: Handler<M, P>["run"],
): Handler<M, P> => ({ method, permission, run });

/** How the store knows a repeat [W10]: the params but the key itself, whatever the order of their members. */
export function idempotencyOf(
  method: MethodName,
  { idempotencyKey, ...params }: { readonly idempotencyKey: string },
): Idempotency {
  const paramsHash = createHash("sha256").update(canonicalJson(params)).digest("hex");
  return { key: idempotencyKey, method, paramsHash };
}

const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
