/**
 * Back-pressure of one connection [L7], whatever topics it carries. Pure.
 *
 *   flowing ──(> 256 KiB buffered)──▶ pressed ──(≤ 64 KiB)──▶ flowing
 *                                        └──(> 1 MiB, or 10 s without the buffer falling)──▶ close 4008
 */
export const HIGH_WATER = 256 * 1024;
export const LOW_WATER = 64 * 1024;
export const MOST_BUFFERED = 1024 * 1024;
/** A peer that reads nothing for this long is closed. */
export const STALLED_MS = 10_000;

export type Pressure =
  | { readonly kind: "flowing" }
  | {
      readonly kind: "pressed";
      /** As it was last seen. */
      readonly buffered: number;
      /** When it was last seen to fall. */
      readonly fellAt: number;
    };

/** What changed for the connection's topics. */
export type PressureChange = "none" | "pressed" | "relieved" | "too-slow";

export interface PressureStep {
  readonly pressure: Pressure;
  readonly change: PressureChange;
}

export const FLOWING: Pressure = { kind: "flowing" };
const FLOWS_ON: PressureStep = { pressure: FLOWING, change: "none" };
const RELIEVED: PressureStep = { pressure: FLOWING, change: "relieved" };

/** `buffered` bytes were seen at `now` (milliseconds). */
export function observe(pressure: Pressure, buffered: number, now: number): PressureStep {
  if (pressure.kind === "flowing") {
    if (buffered <= HIGH_WATER) return FLOWS_ON;
    return {
      pressure: { kind: "pressed", buffered, fellAt: now },
      change: buffered > MOST_BUFFERED ? "too-slow" : "pressed",
    };
  }
  if (buffered <= LOW_WATER) return RELIEVED;
  const fellAt = buffered < pressure.buffered ? now : pressure.fellAt;
  const tooSlow = buffered > MOST_BUFFERED || now - fellAt >= STALLED_MS;
  return { pressure: { kind: "pressed", buffered, fellAt }, change: tooSlow ? "too-slow" : "none" };
}
