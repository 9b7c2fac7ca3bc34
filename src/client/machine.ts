/**
 * The life of a client's connection, as a pure function: state, input and time in, state out. `connection.ts` is the
 * shell that opens sockets and arms timers to match.
 *
 *          connect              opened            hello             authenticated
 *   idle ──────────▶ connecting ──────▶ greeting ──────▶ authenticating ──────▶ ready
 *                      ▲    │              │                  │     │             │  │
 *              due,    │    │ lost, due    │ lost, due        │     │ refused     │  │ draining, then due: connecting
 *              connect │    ▼              ▼                  ▼     │             │
 *                    waiting ◀─────────────────────────────────────────────── lost│
 *                                                                   ▼             ▼
 *                                        close, a final close code, refused ──▶ closed ── connect ──▶ connecting
 *
 * Times are milliseconds of the caller's clock. Where a state has `until`, the shell sends `due` when it has come.
 */
import { CLOSE, mayReconnect, type ParleyError } from "../protocol/errors.ts";
import { fullJitter } from "./backoff.ts";

/** To get a token, and then to open the socket, together. */
export const CONNECT_MS = 20_000;
export const GREETING_MS = 10_000;
export const AUTHENTICATING_MS = 10_000;
/** A connection that lasted this long has proven that the server is well: its loss starts the back-off anew. */
export const STABLE_MS = 5_000;

/** Why a connection is given up. All but `stopped` can be tried again by `connect`. */
export type ClosedReason =
  /** `close` was called. */
  | "stopped"
  /** There is no session, or its credentials were refused. */
  | "signed-out"
  /** 4503 [W8]. */
  | "too-many-connections"
  /** Another final code: this client and this server do not fit together. */
  | "refused";

interface Trying {
  readonly since: number;
  /** Tries that failed, since it was ready or, after brief connections, as many as those. */
  readonly attempt: number;
  /** Connections in a row that were ready and did not last. */
  readonly brief: number;
  /** A login has already replaced a refused session since the last connection that lasted. */
  readonly loggedInAgain: boolean;
}

export type MachineState =
  | { readonly phase: "idle"; readonly since: number }
  | ({ readonly phase: "connecting"; readonly until: number } & Trying)
  | ({ readonly phase: "greeting"; readonly until: number } & Trying)
  | ({ readonly phase: "authenticating"; readonly until: number } & Trying)
  /** `until`: the server drains; move to another one then. */
  | ({ readonly phase: "ready"; readonly until: number | undefined } & Trying)
  | ({ readonly phase: "waiting"; readonly until: number } & Trying)
  | {
      readonly phase: "closed";
      readonly since: number;
      readonly reason: ClosedReason;
      readonly code: number | undefined;
      readonly error: ParleyError | undefined;
    };

export type Phase = MachineState["phase"];

export type MachineInput =
  /** At the start; to skip a wait; to try again after a final close. */
  | { readonly type: "connect" }
  | { readonly type: "opened" }
  | { readonly type: "hello" }
  | { readonly type: "authenticated" }
  /** The credentials, or the way they were offered, were refused. */
  | {
      readonly type: "refused";
      readonly reason: "signed-out" | "refused";
      readonly error: ParleyError | undefined;
      readonly canLogin: boolean;
    }
  /** The socket closed, or was given up. `canLogin`: a fresh login could replace the session. */
  | {
      readonly type: "lost";
      readonly code: number;
      readonly canLogin: boolean;
      readonly retryAfterMs?: number | undefined;
    }
  | { readonly type: "draining"; readonly reconnectAfterMs: number }
  | { readonly type: "due" }
  | { readonly type: "close" };

const FIRST = { attempt: 0, brief: 0, loggedInAgain: false } as const;

const connecting = (now: number, from: Omit<Trying, "since">): MachineState => ({
  phase: "connecting",
  since: now,
  until: now + CONNECT_MS,
  attempt: from.attempt,
  brief: from.brief,
  loggedInAgain: from.loggedInAgain,
});

const closed = (now: number, reason: ClosedReason, code?: number, error?: ParleyError): MachineState => ({
  phase: "closed",
  since: now,
  reason,
  code,
  error,
});

type Active = Extract<MachineState, { readonly phase: "connecting" | "greeting" | "authenticating" | "ready" }>;

/**
 * What the next try starts from. To have been ready proves that the server can be reached, to have lasted that it is
 * well: of a server that takes connections and drops them at once, only the drops are counted.
 */
function failed(state: Active, now: number): Omit<Trying, "since"> {
  const { attempt, brief, loggedInAgain } = state;
  if (state.phase !== "ready") return { attempt: attempt + 1, brief, loggedInAgain };
  const lasted = now - state.since >= STABLE_MS;
  return lasted
    ? { attempt: 1, brief: 0, loggedInAgain: false }
    : { attempt: brief + 1, brief: brief + 1, loggedInAgain };
}

type Waiting = Extract<MachineState, { readonly phase: "waiting" }>;

function wait(state: Active, now: number, random: () => number, floorMs = 0): Waiting {
  const next = failed(state, now);
  const until = now + floorMs + fullJitter(next.attempt, random);
  const moveAt = state.phase === "ready" ? (state.until ?? 0) : 0;
  return { phase: "waiting", since: now, until: Math.max(until, moveAt), ...next };
}

function lost(
  state: Active,
  input: Extract<MachineInput, { readonly type: "lost" }>,
  now: number,
  random: () => number,
): MachineState {
  if (mayReconnect(input.code)) return wait(state, now, random, input.retryAfterMs);
  switch (input.code) {
    case CLOSE.AUTHENTICATION:
      return loginAgain(state, input.canLogin, now, random) ?? closed(now, "signed-out", input.code);
    case CLOSE.REVOKED:
      return closed(now, "signed-out", input.code);
    case CLOSE.TOO_MANY_CONNECTIONS:
      return closed(now, "too-many-connections", input.code);
    default:
      return closed(now, "refused", input.code);
  }
}

/** Once, and then not before a connection lasted. */
function loginAgain(state: Active, canLogin: boolean, now: number, random: () => number): MachineState | undefined {
  if (!canLogin || failed(state, now).loggedInAgain) return undefined;
  return { ...wait(state, now, random), loggedInAgain: true };
}

/** An input that means nothing in a state (a late `lost`, a second `hello`) answers the same state object. */
export function transition(state: MachineState, input: MachineInput, now: number, random: () => number): MachineState {
  if (input.type === "close")
    return state.phase === "closed" && state.reason === "stopped" ? state : closed(now, "stopped");
  switch (state.phase) {
    case "idle":
      return input.type === "connect" ? connecting(now, FIRST) : state;
    case "closed":
      return input.type === "connect" && state.reason !== "stopped" ? connecting(now, FIRST) : state;
    case "waiting":
      return input.type === "connect" || (input.type === "due" && now >= state.until) ? connecting(now, state) : state;
    case "connecting":
    case "greeting":
    case "authenticating":
    case "ready":
      return active(state, input, now, random);
  }
}

function active(
  state: Active,
  input: Exclude<MachineInput, { type: "close" }>,
  now: number,
  random: () => number,
): MachineState {
  switch (input.type) {
    case "connect":
      return state;
    case "opened":
      return state.phase === "connecting"
        ? { ...state, phase: "greeting", since: now, until: now + GREETING_MS }
        : state;
    case "hello":
      return state.phase === "greeting"
        ? { ...state, phase: "authenticating", since: now, until: now + AUTHENTICATING_MS }
        : state;
    case "authenticated":
      return state.phase === "authenticating" ? { ...state, phase: "ready", since: now, until: undefined } : state;
    case "refused":
      return (
        (input.reason === "signed-out" ? loginAgain(state, input.canLogin, now, random) : undefined) ??
        closed(now, input.reason, undefined, input.error)
      );
    case "lost":
      return lost(state, input, now, random);
    case "draining":
      return state.phase === "ready" && state.until === undefined
        ? { ...state, until: now + input.reconnectAfterMs + fullJitter(1, random) }
        : state;
    case "due":
      if (state.until === undefined || now < state.until) return state;
      return state.phase === "ready" ? connecting(now, failed(state, now)) : wait(state, now, random);
  }
}
