/** How fast a bucket fills, in tokens per second, and how many it holds. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A token bucket without a timer. Times are milliseconds of one monotonic clock. */
export class TokenBucket {
  private readonly rate: Rate;
  private level: number;
  private at = -Infinity;

  constructor(rate: Rate) {
    this.rate = rate;
    this.level = rate.burst;
  }

  /** Takes one token: 0 when there was one, else the milliseconds until there will be. */
  take(now: number): number {
    this.refill(now);
    if (this.level < 1) return this.shortage();
    this.level--;
    return 0;
  }

  /** The milliseconds until a token can be taken, 0 for now; takes none. */
  wait(now: number): number {
    this.refill(now);
    return this.level < 1 ? this.shortage() : 0;
  }

  isFull(now: number): boolean {
    this.refill(now);
    return this.level >= this.rate.burst;
  }

  private refill(now: number): void {
    if (now <= this.at) return;
    this.level = Math.min(this.rate.burst, this.level + ((now - this.at) * this.rate.perSecond) / 1000);
    this.at = now;
  }

  private shortage(): number {
    return Math.ceil(((1 - this.level) * 1000) / this.rate.perSecond);
  }
}
