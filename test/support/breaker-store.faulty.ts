import { setImmediate as turn } from "node:timers/promises";
import type { BreakerReading, BreakerState, BreakerStore } from "../../src/ports/breaker.ts";
import { ParleyError } from "../../src/protocol/errors.ts";

/** Probabilities, 0 … 1. */
export interface BreakerFaults {
  /** The call fails and did nothing. */
  readonly refused: number;
  /** The write took effect, and its answer was lost. */
  readonly lostReply: number;
  /** A call, or its answer, takes some turns. */
  readonly delayed: number;
}

/** A breaker store that misbehaves as one on another machine may, and keeps its contract. */
export class FaultyBreakerStore implements BreakerStore {
  readonly #store: BreakerStore;
  readonly #faults: BreakerFaults;
  readonly #random: () => number;

  constructor(store: BreakerStore, faults: BreakerFaults, random: () => number) {
    this.#store = store;
    this.#faults = faults;
    this.#random = random;
  }

  async read(key: string): Promise<BreakerReading> {
    await this.#trouble();
    const reading = await this.#store.read(key);
    await this.#delay();
    return reading;
  }

  async write(key: string, version: number, breaker: BreakerState, keepMs: number): Promise<boolean> {
    await this.#trouble();
    const written = await this.#store.write(key, version, breaker, keepMs);
    await this.#delay();
    if (this.#random() < this.#faults.lostReply) throw new ParleyError("UNAVAILABLE");
    return written;
  }

  async #trouble(): Promise<void> {
    await this.#delay();
    if (this.#random() < this.#faults.refused) throw new ParleyError("UNAVAILABLE");
  }

  async #delay(): Promise<void> {
    for (let turns = 0; turns < 5 && this.#random() < this.#faults.delayed; turns++) await turn();
  }
}
