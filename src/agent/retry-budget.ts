/**
 * [R9] Retries of a whole process: a tenth of its calls and a few beside, so that a provider that is down or short of
 * capacity is not asked several times as often as one that works.
 *
 * Over any time, retries ≤ `burst` + `perCall` × calls + `perSecond` × seconds. The last term is for small servers: one
 * person's calls alone would not earn a retry in a day.
 */
export interface BudgetLimits {
  readonly burst: number;
  readonly perCall: number;
  readonly perSecond: number;
}

const DEFAULT_BUDGET: BudgetLimits = { burst: 10, perCall: 0.1, perSecond: 0.1 };

export class RetryBudget {
  readonly #limits: BudgetLimits;
  #level: number;
  #at = -Infinity;

  constructor(limits: BudgetLimits = DEFAULT_BUDGET) {
    this.#limits = limits;
    this.#level = limits.burst;
  }

  /** A call that is no retry was made. */
  called(): void {
    this.#add(this.#limits.perCall);
  }

  /** Takes one retry, if there is one. `now` in milliseconds of one monotonic clock. */
  take(now: number): boolean {
    if (now > this.#at) {
      if (this.#at !== -Infinity) this.#add(((now - this.#at) * this.#limits.perSecond) / 1000);
      this.#at = now;
    }
    if (this.#level < 1) return false;
    this.#level--;
    return true;
  }

  #add(amount: number): void {
    this.#level = Math.min(this.#limits.burst, this.#level + amount);
  }
}
