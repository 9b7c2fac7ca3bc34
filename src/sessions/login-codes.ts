import { hashSecret, newSecret } from "./secrets.ts";

/** A login link is good for this long [W2]. */
export const LOGIN_CODE_MS = 10 * 60_000;
/** Codes that wait at once; a new one beyond it makes the oldest useless. */
const MAX_CODES = 100;

/**
 * One-time login codes, in memory only: a restart forgets them. They are kept and looked up by their hash, so that the
 * time of a look-up tells nothing about a code.
 */
export class LoginCodes {
  /** Hash → when it expires. Insertion order is expiry order. */
  private readonly waiting = new Map<string, number>();

  create(now: number): string {
    const code = newSecret(24);
    if (this.waiting.size >= MAX_CODES) {
      for (const oldest of this.waiting.keys()) {
        this.waiting.delete(oldest);
        break;
      }
    }
    this.waiting.set(hashSecret(code), now + LOGIN_CODE_MS);
    return code;
  }

  /** Uses a code up. False when there is none like it, or when it is too old. */
  take(code: string, now: number): boolean {
    const hash = hashSecret(code);
    const expiresAt = this.waiting.get(hash);
    this.waiting.delete(hash);
    return expiresAt !== undefined && now < expiresAt;
  }

  /** Makes a code good again that was taken for a login which then failed for no fault of its owner. */
  restore(code: string, now: number): void {
    if (this.waiting.size < MAX_CODES) this.waiting.set(hashSecret(code), now + LOGIN_CODE_MS);
  }

  get size(): number {
    return this.waiting.size;
  }
}
