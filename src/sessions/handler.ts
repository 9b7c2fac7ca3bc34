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
