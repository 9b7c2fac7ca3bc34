/**
 * Slows down whoever guesses credentials over all nodes. It counts refusals only, so that people behind one address who
 * know theirs never notice it. Each process has a limiter of its own in front of it (`src/sessions/attempt-limiter.ts`).
 *
 * Contract suite: `test/contracts/login-limiter.ts`. Neither call rejects or throws: a limiter that can't be reached
 * counts in this process.
 */
export interface LoginLimiter {
  /** Milliseconds until this address may try again; 0 for now. */
  wait(address: string): Promise<number>;
  /** An attempt of this address was refused. Returns at once. */
  failed(address: string): void;
}
