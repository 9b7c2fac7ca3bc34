/** Time limits and waits of those who write to the log. */
import { ParleyError } from "../protocol/errors.ts";

/** Rejects with UNAVAILABLE after `ms`. The work goes on; nobody hears of its end. */
export async function withTimeLimit<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new ParleyError("UNAVAILABLE")), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export interface Backoff {
  /** The longest first wait, in milliseconds; it doubles. */
  readonly baseMs: number;
  readonly capMs: number;
  /** 0 … 1, for the jitter. */
  readonly random: () => number;
}

export const DEFAULT_BACKOFF: Backoff = { baseMs: 50, capMs: 1000, random: Math.random };

/** Full jitter: anything up to a bound that doubles with each failure. */
export const waitMs = (backoff: Backoff, failures: number): number =>
  backoff.random() * Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(failures, 20));

/** Resolves after `ms`, or at once when the signal aborts. Rejects never. */
export async function pauseUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => resolve();
  const timer = setTimeout(done, ms);
  signal.addEventListener("abort", done, { once: true });
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", done);
}
