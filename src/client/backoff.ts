/** Milliseconds. */
export interface Backoff {
  readonly base: number;
  readonly cap: number;
}

export const RECONNECT: Backoff = { base: 250, cap: 15_000 };

/**
 * Full jitter: anywhere between 0 and `base · 2^(attempt−1)`, at most `cap`. A thousand clients that lost the same
 * server come back spread over the whole range. `attempt` counts from 1; `random` answers [0, 1).
 */
export const fullJitter = (attempt: number, random: () => number, { base, cap }: Backoff = RECONNECT): number =>
  random() * Math.min(cap, base * 2 ** Math.min(attempt - 1, 30));
