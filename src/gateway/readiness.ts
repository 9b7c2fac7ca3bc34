/**
 * Should a load balancer send new connections here?
 *
 *   ready ──fail──▶ failing since t ──fail, t + 10 s──▶ (not ready)
 *     ▲                    │
 *     └────────ok──────────┘
 *
 * It begins ready: a node listens only after it has reached everything that it needs. A store that hiccups fails the probe of every node at once; a balancer that believed it would eject them all. So a
 * node stays ready for a while of failures, and is ready again with the first success [PITFALLS 25].
 */
export type Readiness = { readonly kind: "ready" } | { readonly kind: "failing"; readonly since: number };

export const READY: Readiness = { kind: "ready" };

export const HYSTERESIS_MS = 10_000;

export function probed(state: Readiness, ok: boolean, now: number): Readiness {
  if (ok) return READY;
  switch (state.kind) {
    case "failing":
      return state;
    case "ready":
      return { kind: "failing", since: now };
  }
}

export function isReady(state: Readiness, now: number): boolean {
  switch (state.kind) {
    case "ready":
      return true;
    case "failing":
      return now - state.since < HYSTERESIS_MS;
  }
}
