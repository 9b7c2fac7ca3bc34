/**
 * Circuit breaker of one model behind one key [R9]: what is dead is not asked, and asked again in time. Pure: the
 * clock is passed in, in milliseconds, and the state is plain data that nodes share.
 *
 *              enough failures, no success between
 *   ┌────────┐ ───────────────────────────────────▶ ┌──────┐ ◀──── the probe failed: a longer cool-down ────┐
 *   │ closed │                                      │ open │ ◀──── the probe was given up: probe anew ──────┤
 *   └────────┘ ◀─┐                                  └──────┘                                                │
 *    calls go    │                     no call goes   └── cool-down over, somebody asks ──▶ ┌───────────┐ ──┘
 *                └──────────────── the probe got an answer ──────────────────────────────── │ half-open │
 *                                                                     exactly one call goes └───────────┘
 *                                                         the probe never reported ──────────▶ └─▶ another probe
 *
 * It can't stay open: `until` is bounded in both states, and a clock that went back counts as a time that is over.
 */
import type { BreakerState } from "../ports/breaker.ts";
import type { ModelErrorKind } from "../ports/model.ts";

export interface BreakerLimits {
  /** So many failures within `windowMs`, without a success after the first of them, open it. */
  readonly failures: number;
  readonly windowMs: number;
  /** The first cool-down; each failed probe doubles it, up to `maxCoolDownMs`. */
  readonly coolDownMs: number;
  readonly maxCoolDownMs: number;
  /** A probe that has not reported by then is taken for lost. Longer than a stalled call takes to be found. */
  readonly probeMs: number;
}

/** The right to make one call. */
export interface Ticket {
  /** When it was given. */
  readonly at: number;
  readonly probe: boolean;
}

export type BreakerEvent =
  | { readonly type: "ask"; readonly now: number }
  /** The model said something, or refused this one request for what it holds. */
  | { readonly type: "success"; readonly now: number; readonly ticket: Ticket }
  | {
      readonly type: "failure";
      readonly now: number;
      readonly ticket: Ticket;
      readonly kind: ModelErrorKind;
      readonly retryAfterMs: number | undefined;
    }
  /** We ended it before it showed anything. */
  | { readonly type: "abandoned"; readonly now: number; readonly ticket: Ticket };

type In<S extends BreakerState["state"]> = Extract<BreakerState, { state: S }>;
type Of<E extends BreakerEvent["type"]> = Extract<BreakerEvent, { type: E }>;
type Table = {
  readonly [S in BreakerState["state"]]: {
    readonly [E in BreakerEvent["type"]]: (state: In<S>, event: Of<E>, limits: BreakerLimits) => BreakerState;
  };
};

export const CLOSED: BreakerState = { state: "closed", failures: [] };

/** A complete table: a missing cell does not compile. A cell that changes nothing answers the state itself. */
const TABLE: Table = {
  closed: {
    ask: (state) => state,
    // What failed after this call was sent is news that its success does not undo.
    success: (state, { ticket }) => keepFailures(state, (at) => at > ticket.at),
    failure: (state, event, limits) => {
      const { failures } = keepFailures(state, (at) => at > event.now - limits.windowMs);
      if (failures.length + 1 >= limits.failures) return opened(1, event, limits);
      return { state: "closed", failures: [...failures, event.now] };
    },
    abandoned: (state) => state,
  },
  open: {
    ask: (state, { now }, limits) =>
      isOver(state.until, now, limits.maxCoolDownMs) ? probing(state, now, limits) : state,
    // Calls of before it opened: only a probe closes it, and what fails now was known.
    success: (state) => state,
    failure: (state) => state,
    abandoned: (state) => state,
  },
  "half-open": {
    ask: (state, { now }, limits) => (isOver(state.until, now, limits.probeMs) ? probing(state, now, limits) : state),
    success: (state, { ticket }) => (isProbe(state, ticket) ? CLOSED : state),
    failure: (state, event, limits) => (isProbe(state, event.ticket) ? opened(state.trips + 1, event, limits) : state),
    abandoned: (state, { now, ticket }) =>
      isProbe(state, ticket) ? { state: "open", trips: state.trips, until: now, kind: state.kind } : state,
  },
};

export function transition(state: BreakerState, event: BreakerEvent, limits: BreakerLimits): BreakerState {
  // The table's type pairs each cell with its state and event; TypeScript can't follow that through two indexes.
  const cell = TABLE[state.state][event.type] as (s: BreakerState, e: BreakerEvent, l: BreakerLimits) => BreakerState;
  return cell(state, event, limits);
}

/** What asking brought: `after` is the state that `transition` made of `before`. */
export function granted(before: BreakerState, after: BreakerState, now: number): Ticket | undefined {
  if (after.state === "closed") return { at: now, probe: false };
  return after !== before && after.state === "half-open" ? { at: now, probe: true } : undefined;
}

/** Milliseconds until asking may bring a probe. */
export const refusedFor = (state: BreakerState, now: number): number =>
  state.state === "closed" ? 0 : Math.max(0, state.until - now);

/** Kept so long after its last change, it is never forgotten while it holds calls back. */
export const keepFor = (limits: BreakerLimits): number =>
  2 * Math.max(limits.windowMs, limits.maxCoolDownMs, limits.probeMs);

const isOver = (until: number, now: number, longest: number): boolean => now >= until || until - now > longest;

const isProbe = (state: In<"half-open">, ticket: Ticket): boolean => ticket.probe && ticket.at === state.since;

const probing = (state: In<"open" | "half-open">, now: number, limits: BreakerLimits): BreakerState => ({
  state: "half-open",
  trips: state.trips,
  since: now,
  until: now + limits.probeMs,
  kind: state.kind,
});

function opened(trips: number, { now, kind, retryAfterMs }: Of<"failure">, limits: BreakerLimits): BreakerState {
  const grown = limits.coolDownMs * 2 ** Math.min(trips - 1, 30);
  const coolDown = Math.min(limits.maxCoolDownMs, Math.max(grown, retryAfterMs ?? 0));
  return { state: "open", trips, until: now + coolDown, kind };
}

function keepFailures(state: In<"closed">, keep: (at: number) => boolean): In<"closed"> {
  const failures = state.failures.filter(keep);
  return failures.length === state.failures.length ? state : { state: "closed", failures };
}
