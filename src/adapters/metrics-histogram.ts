/**
 * A histogram in one flat array: `bounds.length + 1` counts, each of its own bucket (not cumulative), the last one for
 * what is above every bound. Adding is a short search and two additions.
 */
export class ArrayHistogram {
  /** Upper bounds, ascending, in the unit of what is added. */
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  add(value: number): void {
    const bounds = this.bounds;
    let bucket = 0;
    // From below: most values are small, and a bound that equals the value includes it, as Prometheus wants.
    while (bucket < bounds.length && value > (bounds[bucket] ?? Infinity)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.#counts.reduce((total, count) => total + count, 0);
  }

  /** How many were at most each bound; the last one is `count`. */
  cumulative(): number[] {
    let total = 0;
    return Array.from(this.#counts, (count) => (total += count));
  }
}
