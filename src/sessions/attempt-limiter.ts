import { type Rate, TokenBucket } from "./token-bucket.ts";

/** Addresses remembered at once; beyond it the one whose last failure is oldest is forgotten. */
const MAX_ADDRESSES = 10_000;

/**
 * Slows down whoever guesses credentials: only failures cost, so that people behind one address who know theirs never
 * notice it.
 */
export class AttemptLimiter {
  private readonly failures = new Map<string, TokenBucket>();
  private readonly rate: Rate;

  constructor(rate: Rate = { perSecond: 1 / 6, burst: 20 }) {
    this.rate = rate;
  }

  /** Milliseconds until this address may try again; 0 for now. */
  wait(address: string, now: number): number {
    return this.failures.get(address)?.wait(now) ?? 0;
  }

  failed(address: string, now: number): void {
    const bucket = this.failures.get(address) ?? new TokenBucket(this.rate);
    this.failures.delete(address);
    bucket.take(now);
    this.failures.set(address, bucket);
    for (const [oldest, its] of this.failures) {
      if (this.failures.size <= MAX_ADDRESSES && !its.isFull(now)) break;
      this.failures.delete(oldest);
    }
  }

  get size(): number {
    return this.failures.size;
  }
}
