import type { LoginCodeStore } from "../ports/login-codes.ts";

/** A login link is good for this long [W2]. */
export const LOGIN_CODE_MS = 10 * 60_000;
/** Codes that wait at once; a new one beyond it makes the oldest useless. */
const MAX_CODES = 100;

/** The codes of a node alone, in memory: a restart forgets them. `now` in milliseconds. */
export class LoginCodes implements LoginCodeStore {
  /** Hash → when it expires, in the order they came. */
  private readonly waiting = new Map<string, number>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  put(hash: string, lifeMs: number): Promise<void> {
    const [oldest] = this.waiting.keys();
    if (this.waiting.size >= MAX_CODES && oldest !== undefined) this.waiting.delete(oldest);
    this.waiting.set(hash, this.now() + lifeMs);
    return Promise.resolve();
  }

  take(hash: string): Promise<boolean> {
    const expiresAt = this.waiting.get(hash);
    this.waiting.delete(hash);
    return Promise.resolve(expiresAt !== undefined && this.now() < expiresAt);
  }

  get size(): number {
    return this.waiting.size;
  }
}
