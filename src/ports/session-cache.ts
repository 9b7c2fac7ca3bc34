/**
 * Sessions in front of their store, shared by all nodes, by the hash of their token. The store is the truth: what is
 * lost here costs one look-up there, and logs nobody out.
 *
 * - What was written is forgotten after a minute at most, so a revocation that never came here is found by then.
 * - A session that ended is remembered as such for at least that minute: a look-up that read the store just before
 *   can't bring it back.
 *
 * Contract suite: `test/contracts/session-cache.ts`. Every call may reject; callers go on with the store.
 */
import type { StoredSession } from "./store.ts";

export interface SessionCache {
  /** undefined: ask the store. "ended": it was revoked lately. */
  read(tokenHash: string): Promise<StoredSession | "ended" | undefined>;
  /** Unless it has ended meanwhile: false then. */
  write(tokenHash: string, session: StoredSession): Promise<boolean>;
  ended(tokenHash: string): Promise<void>;
}
