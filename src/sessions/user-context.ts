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
  readonly limits: Limits;
  readonly log: Logger;
  /** Aborted by `request.cancel`, by the request's time limit, and when the connection closes. */
  readonly signal: AbortSignal;
  readonly services: Services;
  readonly session: StoredSession | undefined;
  /** Makes this connection speak for a session; rejects with ALREADY_AUTHENTICATED. */
  authenticate(session: StoredSession): void;
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
}

const storage = new AsyncLocalStorage<PublicContext>();

export const runInContext = <T>(context: PublicContext, work: () => T): T => storage.run(context, work);

/** The context of the handler that is running; throws outside of one. */
export function getHandlerContext(): PublicContext {
  const context = storage.getStore();
  if (context === undefined) throw new Error("getHandlerContext() was called outside of a handler");
  return context;
}
