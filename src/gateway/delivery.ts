/**
 * Delivery of one topic to one connection [L6, L7]. Pure: the subscription around it sends, reads and times.
 *
 *   held ──released──▶ catching-up ──entries, nothing more──▶ live
 *     │                  ▲  │    ▲                             │ │
 *     │                  │  │    └──gap, newer head, doubt─────┘ │
 *     │         relieved │  │ pressure                    pressure
 *     │                  │  ▼                                    ▼
 *     └──released,───▶ lagging ◀─────────────────────────────────┘
 *        pressed         └──relieved, nothing missed──▶ live
 *
 *   catching-up, lagging ──unreadable──▶ ended, with a resync
 *   any ──stopped──▶ ended
 *
 * - The epoch is compared before the seq. A seq ≤ cursor is dropped, cursor + 1 is sent, anything else is read.
 * - `catching-up` has exactly one read in flight (or waiting to start); `live` and `held` have none.
 * - A publication and a head are hints, maybe late or doubled: they cause a read, and only a read ends a subscription.
 * - `lagging` sends nothing and keeps nothing but its cursor.
 */
import type { Position } from "../protocol/shapes.ts";

/** The answer to the subscribe request has not been written: nothing may be sent [W6]. */
interface Held extends Position {
  readonly kind: "held";
}
interface CatchingUp extends Position {
  readonly kind: "catching-up";
  /** Highest seq heard of since the read in flight was asked for; Infinity when even the epoch is in doubt. */
  readonly heard: number;
}
interface Live extends Position {
  readonly kind: "live";
}
interface Lagging extends Position {
  readonly kind: "lagging";
  /** A read from before is still in flight; its entries will be dropped. */
  readonly reading: boolean;
  /** There is more to read than the cursor. */
  readonly behind: boolean;
}
interface Ended {
  readonly kind: "ended";
}
/** `epoch` and `seq` are the cursor: the last event that was handed to the connection. */
export type DeliveryState = Held | CatchingUp | Live | Lagging | Ended;

/** Adjacent entries `first`…`last` were published. */
export interface PublishedRange {
  readonly type: "published";
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
}
/** A read after the cursor succeeded. Without entries, `first` and `last` are 0. */
export interface ReadEntries {
  readonly type: "entries";
  readonly first: number;
  readonly last: number;
  /** The head that the read saw. */
  readonly head: number;
}
export type DeliveryInput =
  | PublishedRange
  | ReadEntries
  /** The read was answered: the log can't continue from the cursor. */
  | { readonly type: "unreadable" }
  /** The read was not made, since nobody could take its entries. */
  | { readonly type: "unread" }
  /** Where the topic stands, from the periodic comparison. */
  | { readonly type: "head"; readonly epoch: string; readonly seq: number }
  /** Something may be wrong with this topic: no such topic, or a head that went back. */
  | { readonly type: "doubt" }
  /** The answer was written. `pressed`: the connection's buffer is full. */
  | { readonly type: "released"; readonly pressed: boolean }
  /** The connection's buffer is full. */
  | { readonly type: "pressure" }
  /** It has drained. */
  | { readonly type: "relieved" }
  /** Unsubscribed, replaced, or the connection is gone. */
  | { readonly type: "stopped" };

export type DeliveryAction =
  /** Send the entries of the input, but for the first `skip`. */
  | { readonly type: "send"; readonly skip: number }
  /** Read after the cursor. */
  | { readonly type: "read" }
  /** Tell the client to subscribe again, and forget this subscription. */
  | { readonly type: "resync" };

export interface DeliveryStep {
  readonly state: DeliveryState;
  /** In order. */
  readonly actions: readonly DeliveryAction[];
}

type Kind = DeliveryState["kind"];
type Type = DeliveryInput["type"];
type Cell<K extends Kind, T extends Type> = (
  state: Extract<DeliveryState, { kind: K }>,
  input: Extract<DeliveryInput, { type: T }>,
) => DeliveryStep;
type Table = { readonly [K in Kind]: { readonly [T in Type]: Cell<K, T> } };

const SEND: DeliveryAction = { type: "send", skip: 0 };
const READ: DeliveryAction = { type: "read" };
const RESYNC: DeliveryAction = { type: "resync" };
const NOTHING: readonly DeliveryAction[] = [];
const SEND_ALL: readonly DeliveryAction[] = [SEND];
const SEND_AND_READ: readonly DeliveryAction[] = [SEND, READ];
const READ_ONLY: readonly DeliveryAction[] = [READ];
const ENDED: DeliveryState = { kind: "ended" };
const END: DeliveryStep = { state: ENDED, actions: NOTHING };
const END_WITH_RESYNC: DeliveryStep = { state: ENDED, actions: [RESYNC] };

const IN_DOUBT = Infinity;

const stay = (state: DeliveryState): DeliveryStep => ({ state, actions: NOTHING });
const end = (): DeliveryStep => END;
const resync = (): DeliveryStep => END_WITH_RESYNC;

const live = ({ epoch, seq }: Position): Live => ({ kind: "live", epoch, seq });
const lag = ({ epoch, seq }: Position, reading: boolean, behind: boolean): DeliveryStep =>
  stay({ kind: "lagging", epoch, seq, reading, behind });
/** Starts a read. What was heard before it is in it. */
const read = ({ epoch, seq }: Position): DeliveryStep => ({
  state: { kind: "catching-up", epoch, seq, heard: seq },
  actions: READ_ONLY,
});

/** Does this hint speak of something after the cursor? */
const isNews = (state: Position, epoch: string, seq: number): boolean => epoch !== state.epoch || seq > state.seq;
/** What a reader has heard of, with this hint. */
const hear = (state: CatchingUp, epoch: string, seq: number): DeliveryStep => {
  const heard = epoch === state.epoch ? seq : IN_DOUBT;
  return heard > state.heard ? stay({ ...state, heard }) : stay(state);
};
const fallBehind = (state: Lagging): DeliveryStep => (state.behind ? stay(state) : stay({ ...state, behind: true }));

export const DELIVERY_TABLE: Table = {
  held: {
    // Its first read comes after the release and sees all of this.
    published: stay,
    head: stay,
    doubt: stay,
    pressure: stay,
    relieved: stay,
    entries: stay,
    unreadable: stay,
    unread: stay,
    released: (state, input) => (input.pressed ? lag(state, false, true) : read(state)),
    stopped: end,
  },
  "catching-up": {
    published: (state, input) => hear(state, input.epoch, input.last),
    head: (state, input) => hear(state, input.epoch, input.seq),
    doubt: (state) => stay({ ...state, heard: IN_DOUBT }),
    entries: takeEntries,
    unreadable: resync,
    unread: read,
    pressure: (state) => lag(state, true, true),
    relieved: stay,
    released: stay,
    stopped: end,
  },
  live: {
    published: takePublished,
    head: (state, input) => (isNews(state, input.epoch, input.seq) ? read(state) : stay(state)),
    doubt: read,
    pressure: (state) => lag(state, false, false),
    relieved: stay,
    released: stay,
    entries: stay,
    unreadable: stay,
    unread: stay,
    stopped: end,
  },
  lagging: {
    published: (state, input) => (isNews(state, input.epoch, input.last) ? fallBehind(state) : stay(state)),
    head: (state, input) => (isNews(state, input.epoch, input.seq) ? fallBehind(state) : stay(state)),
    doubt: fallBehind,
    entries: (state) => lag(state, false, true),
    unreadable: resync,
    unread: (state) => lag(state, false, true),
    pressure: stay,
    relieved: (state) => {
      if (!state.behind) return stay(live(state));
      // A read in flight was asked for at this very cursor, but before much of what has come since.
      if (state.reading) return stay({ kind: "catching-up", epoch: state.epoch, seq: state.seq, heard: IN_DOUBT });
      return read(state);
    },
    released: stay,
    stopped: end,
  },
  ended: {
    published: end,
    head: end,
    doubt: end,
    entries: end,
    unreadable: end,
    unread: end,
    pressure: end,
    relieved: end,
    released: end,
    stopped: end,
  },
};

/** The hot path: one per event and subscriber. */
function takePublished(state: Live, input: PublishedRange): DeliveryStep {
  const next = state.seq + 1;
  if (input.epoch !== state.epoch || input.first > next) return read(state);
  if (input.last < next) return stay(state);
  const moved: Live = { kind: "live", epoch: state.epoch, seq: input.last };
  const skip = next - input.first;
  return { state: moved, actions: skip === 0 ? SEND_ALL : [{ type: "send", skip }] };
}

function takeEntries(state: CatchingUp, input: ReadEntries): DeliveryStep {
  if (input.last === 0) {
    if (input.head > state.seq) return END_WITH_RESYNC;
    return state.heard > state.seq ? read(state) : stay(live(state));
  }
  if (input.first !== state.seq + 1) return END_WITH_RESYNC;
  const { epoch } = state;
  const seq = input.last;
  if (Math.max(input.head, state.heard) > seq) {
    return { state: { kind: "catching-up", epoch, seq, heard: seq }, actions: SEND_AND_READ };
  }
  return { state: { kind: "live", epoch, seq }, actions: SEND_ALL };
}

/** One transition. */
export function step(state: DeliveryState, input: DeliveryInput): DeliveryStep {
  // The table's type guarantees that the cell of (kind, type) takes exactly these; the compiler can't correlate two unions.
  const cell = DELIVERY_TABLE[state.kind][input.type] as (state: DeliveryState, input: DeliveryInput) => DeliveryStep;
  return cell(state, input);
}
