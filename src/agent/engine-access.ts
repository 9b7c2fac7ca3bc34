/** The engine's way to the store: every call has a time limit, and whether the store answers is known at any time. */
import { ParleyError } from "../protocol/errors.ts";
import { answered, failed, reachable, type Access, type LeaseTimes } from "./lease.ts";
import { withTimeLimit } from "./log-batcher-retry.ts";

/** Nothing is known about the effect, and the same call may succeed later. */
export const isOutage = (error: unknown): boolean => error instanceof ParleyError && error.retryable;

export interface StoreAccess {
  /** What is known now. */
  readonly state: Access;
  /** Makes one call; an outage shows in `state`. */
  call<T>(work: () => Promise<T>): Promise<T>;
}

export function createStoreAccess(now: () => number, times: LeaseTimes, limitMs: number): StoreAccess {
  let state = reachable(now());
  return {
    get state() {
      return state;
    },
    async call(work) {
      const sentAt = now();
      try {
        const result = await withTimeLimit(limitMs, work());
        state = answered(state, sentAt, now(), times);
        return result;
      } catch (error) {
        if (isOutage(error)) state = failed(state);
        throw error;
      }
    },
  };
}
