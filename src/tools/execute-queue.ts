/** Calls of one tool: so many at once, the others in the order in which they came, no more of them than `maxWaiting`. */
import type { ToolClock } from "./execute-clock.ts";

export type Entrance = "entered" | "full" | "late" | "aborted";

export class CallQueue {
  readonly #clock: ToolClock;
  readonly #places: number;
  readonly #maxWaiting: number;
  readonly #waiting: ((entrance: Entrance) => void)[] = [];
  #taken = 0;

  constructor(clock: ToolClock, places: number, maxWaiting: number) {
    this.#clock = clock;
    this.#places = places;
    this.#maxWaiting = maxWaiting;
  }

  /** Whoever "entered" leaves once. Waits `limitMs` at most. */
  async enter(signal: AbortSignal, limitMs: number): Promise<Entrance> {
    if (signal.aborted) return "aborted";
    if (this.#taken < this.#places) {
      this.#taken++;
      return "entered";
    }
    if (this.#waiting.length >= this.#maxWaiting) return "full";
    const { promise, resolve } = Promise.withResolvers<Entrance>();
    const giveUp = (why: Entrance) => {
      const index = this.#waiting.indexOf(resolve);
      if (index >= 0) this.#waiting.splice(index, 1);
      resolve(why);
    };
    const abort = () => giveUp("aborted");
    this.#waiting.push(resolve);
    signal.addEventListener("abort", abort, { once: true });
    const cancel = this.#clock.after(limitMs, () => giveUp("late"));
    const entrance = await promise;
    cancel();
    signal.removeEventListener("abort", abort);
    return entrance;
  }

  leave(): void {
    const next = this.#waiting.shift();
    // The place passes from hand to hand.
    if (next === undefined) this.#taken--;
    else next("entered");
  }
}
