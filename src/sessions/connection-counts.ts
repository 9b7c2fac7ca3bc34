/**
 * Connections of each person and address, and whether one more is too many: those of this node, and what the other
 * nodes last said of theirs [W11].
 */
import type { ConnectionCensus, Counted } from "../ports/census.ts";

/** undefined: no limit, and nothing is counted. */
export interface ConnectionQuotas {
  readonly perUser: number | undefined;
  readonly perAddress: number | undefined;
}

/** Told to other nodes at once. */
const MAX_TOLD = 1_000;

export class ConnectionCounts implements Counted {
  readonly #counts = new Map<string, number>();
  readonly #limits: ConnectionQuotas;
  readonly #census: ConnectionCensus | undefined;

  constructor(limits: ConnectionQuotas, census?: ConnectionCensus) {
    this.#limits = limits;
    const smallest = Math.min(limits.perUser ?? Infinity, limits.perAddress ?? Infinity);
    this.#census = smallest === Infinity ? undefined : census;
    this.#census?.start(this, smallest);
  }

  /** False when it is one too many: nothing was counted then. */
  enterUser(id: string): boolean {
    return this.#enter(`user ${id}`, this.#limits.perUser);
  }

  leaveUser(id: string): void {
    this.#leave(`user ${id}`);
  }

  enterAddress(address: string): boolean {
    return this.#enter(`address ${address}`, this.#limits.perAddress);
  }

  leaveAddress(address: string): void {
    this.#leave(`address ${address}`);
  }

  *atLeast(least: number): Iterable<readonly [string, number]> {
    let left = MAX_TOLD;
    for (const entry of this.#counts) {
      if (entry[1] < least) continue;
      yield entry;
      if (--left === 0) return;
    }
  }

  #enter(key: string, limit: number | undefined): boolean {
    if (limit === undefined) return true;
    const here = this.#counts.get(key) ?? 0;
    if (here + (this.#census?.elsewhere(key) ?? 0) >= limit) return false;
    this.#counts.set(key, here + 1);
    return true;
  }

  #leave(key: string): void {
    const here = this.#counts.get(key);
    if (here === undefined) return;
    if (here > 1) this.#counts.set(key, here - 1);
    else this.#counts.delete(key);
  }
}
