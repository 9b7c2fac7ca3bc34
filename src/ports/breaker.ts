/**
 * Where the circuit breakers of models are kept [R9]: one for each provider, model and key. Nodes share them, so that a
 * provider that one node found dead is not asked by all the others.
 *
 * - It stores; `src/agent/circuit-breaker.ts` decides. A change is read, decided, written: `write` succeeds only
 *   while nobody else has written since that `read`, and its caller reads anew otherwise. So one of many gets the probe.
 * - All times are of the store's one clock, in milliseconds, which `read` tells: clocks of nodes differ.
 * - A breaker that nobody wrote for `keepMs` is forgotten, which means closed. Losing them all is harmless.
 * - Either call may reject with UNAVAILABLE; callers then go on as if the breaker were closed.
 */
import type { ModelErrorKind } from "./model.ts";

export type BreakerState =
  /** Calls go. `failures`: when the last ones failed, ascending; bounded by what opens it. */
  | { readonly state: "closed"; readonly failures: readonly number[] }
  /** No call goes before `until`. `trips`: how often it opened without closing between. */
  | { readonly state: "open"; readonly trips: number; readonly until: number; readonly kind: ModelErrorKind }
  /** One call is out to find out, since `since`; another one may go at `until`, should that one never report. */
  | {
      readonly state: "half-open";
      readonly trips: number;
      readonly since: number;
      readonly until: number;
      readonly kind: ModelErrorKind;
    };

export interface BreakerReading {
  /** undefined: nobody has written it, or it was forgotten. */
  readonly breaker: BreakerState | undefined;
  /** Of what was read: for `write`. */
  readonly version: number;
  /** The store's clock. */
  readonly now: number;
}

export interface BreakerStore {
  /** `key` holds no secret. */
  read(key: string): Promise<BreakerReading>;
  /** False: somebody else was first. */
  write(key: string, version: number, breaker: BreakerState, keepMs: number): Promise<boolean>;
}
