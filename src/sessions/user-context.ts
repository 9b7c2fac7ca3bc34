/**
 * What a handler sees of its caller: the first argument of every handler, also reachable as `getHandlerContext()` from
 * code that a handler calls.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Logger } from "../ports/logger.ts";
import type { Services, TopicService } from "../ports/services.ts";
import type { Scope, StoredSession } from "../ports/store.ts";
import type { Limits } from "../protocol/frames.ts";
import type { Tenant, User } from "../protocol/shapes.ts";

/** A caller that may not have logged in. */
export interface PublicContext {
  readonly connectionId: string;
  readonly remoteAddress: string;
  /** What the client's program calls itself; "" when it does not. */
  readonly userAgent: string;
  readonly limits: Limits;
  readonly log: Logger;
  /** Aborted by `request.cancel`, by the request's time limit, and when the connection closes. */
  readonly signal: AbortSignal;
  readonly services: Services;
  readonly session: StoredSession | undefined;
  /**
   * One attempt to log in: makes this connection speak for the session it gives. Rejects as the attempt does, with
   * ALREADY_AUTHENTICATED, or with RATE_LIMITED while another attempt runs here or when there were too many.
   */
  authenticate<T extends { readonly session: StoredSession }>(attempt: () => Promise<T>): Promise<T>;
  /** Cancels another request of this connection; false when it is not waiting. */
  cancel(requestId: string | number): boolean;
}

/** A caller with a session. */
export interface UserContext extends PublicContext {
  readonly session: StoredSession;
  readonly user: User;
  readonly tenant: Tenant;
  readonly roles: readonly string[];
  readonly scope: Scope;
  readonly topics: TopicService;
  /** Ends the session and closes its other connections (4504); this one is as before its login. */
  logout(): Promise<void>;
}

const storage = new AsyncLocalStorage<PublicContext>();

/** Calls `work` with the context and `params`; no closure, as this happens once a request. */
export const runInContext = <C extends PublicContext, P, R>(
  context: C,
  work: (context: C, params: P) => R,
  params: P,
): R => storage.run(context, work, context, params);

/** The context of the handler that is running; throws outside of one. */
export function getHandlerContext(): PublicContext {
  const context = storage.getStore();
  if (context === undefined) throw new Error("getHandlerContext() was called outside of a handler");
  return context;
}
