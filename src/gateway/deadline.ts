import { ParleyError } from "../protocol/errors.ts";
import type { Clock } from "./clock.ts";

/**
 * The outcome of `work`, or UNAVAILABLE when it takes longer than `ms` or fails for another reason than a
 * `ParleyError`. `work` goes on by itself; what becomes of it later is ignored.
 */
export function withDeadline<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(new ParleyError("UNAVAILABLE", { retryAfterMs: 1000 })));
    work.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (cause: unknown) => {
        cancel();
        reject(cause instanceof ParleyError ? cause : new ParleyError("UNAVAILABLE", { cause, retryAfterMs: 1000 }));
      },
    );
  });
}
