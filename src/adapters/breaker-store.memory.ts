/** Circuit breakers of one process. */
import type { BreakerReading, BreakerState, BreakerStore } from "../ports/breaker.ts";

export interface MemoryBreakerOptions {
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
  /** Breakers at most; the one that was written longest ago goes first. Ids of models may come from requests. */
  readonly limit?: number;
}

interface Row {
  readonly breaker: BreakerState;
  readonly version: number;
  readonly forgetAt: number;
}

export class MemoryBreakerStore implements BreakerStore {
  readonly #now: () => number;
  readonly #limit: number;
  /** In the order of their last writes. */
  readonly #rows = new Map<string, Row>();
  /** Of all rows, so that a row which was forgotten and comes back has another. */
  #version = 0;

  constructor({ now = () => performance.now(), limit = 1000 }: MemoryBreakerOptions = {}) {
    this.#now = now;
    this.#limit = limit;
  }

  async read(key: string): Promise<BreakerReading> {
    const now = this.#now();
    const row = this.#live(key, now);
    return { breaker: row?.breaker, version: row?.version ?? 0, now };
  }

  async write(key: string, version: number, breaker: BreakerState, keepMs: number): Promise<boolean> {
    const now = this.#now();
    if ((this.#live(key, now)?.version ?? 0) !== version) return false;
    this.#rows.delete(key);
    const [oldest] = this.#rows.keys();
    if (this.#rows.size >= this.#limit && oldest !== undefined) this.#rows.delete(oldest);
    this.#rows.set(key, { breaker, version: ++this.#version, forgetAt: now + keepMs });
    return true;
  }

  #live(key: string, now: number): Row | undefined {
    const row = this.#rows.get(key);
    if (row === undefined || now < row.forgetAt) return row;
    this.#rows.delete(key);
    return undefined;
  }
}
