/**
 * One-time login codes by their hash, shared by all nodes: the link that one of them printed logs in on any. A code that
 * is forgotten (a restart, a flushed Redis) is made anew by the next start; nobody is logged out by it.
 *
 * Contract suite: `test/contracts/login-codes.ts`. Every call may reject with a retryable error.
 */
export interface LoginCodeStore {
  /** Good for `lifeMs` milliseconds from now on, for one `take`. */
  put(hash: string, lifeMs: number): Promise<void>;
  /** Uses it up: true for one caller, false when there is none like it, or it is too old. */
  take(hash: string): Promise<boolean>;
}
