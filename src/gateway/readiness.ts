/**
 * Should a load balancer send new connections here?
 *
 *   starting ──ok──▶ ready ──fail──▶ failing since t ──fail, t + 10 s──▶ (not ready)
 *                      ▲                    │
 *                      └────────ok──────────┘
 *
 * A store that hiccups fails the probe of every node at once; a balancer that believed it would eject them all. So a
 * node stays ready for a while of failures, and is ready again with the first success [PITFALLS 25].
 */
export type Readiness =
  | { readonly kind: "starting" }
  | { readonly kind: "ready" }
  | { readonly kind: "failing"; readonly since: number };

export const HYSTERESIS_MS = 10_000;

export function probed(state: Readiness, ok: boolean, now: number): Readiness {
  if (ok) return { kind: "ready" };
  switch (state.kind) {
    case "starting":
    case "failing":
      return state;
    case "ready":
      return { kind: "failing", since: now };
  }
}

export function isReady(state: Readiness, now: number): boolean {
  switch (state.kind) {
    case "starting":
      return false;
    case "ready":
      return true;
    case "failing":
      return now - state.since < HYSTERESIS_MS;
  }
}
