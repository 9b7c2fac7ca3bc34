/**
 * A conversation as its readers see it. `transcript-reduce.ts` makes it of what they were sent.
 *
 * Messages are a tree: a message follows its parent, and where it was said or answered again it has siblings. `order` is
 * the branch that is shown, from the first message that is here to `head`, and after it what waits to join it.
 *
 *   loaded   q1 ─ a1 ─┬─ q2 ─ a2                    order   q1 a1 q2′ a2′ │ q3
 *                     └─ q2′ ─ a2′ (head)                    the branch   │ waits
 *            q3 (queued)
 *
 * Every object that does not change keeps its identity, so that a view can compare by `===`.
 */
import type { ParleyEvent } from "../protocol/events.ts";
import type { Approval, Conversation, FilePart, Message, Part, Run, Step } from "../protocol/shapes.ts";
import type { Delivery } from "./outbox.ts";

/** A message of this reader that the server has not shown yet. Its id will be the message's. */
export interface PendingMessage {
  readonly id: string;
  readonly text: string;
  readonly files: readonly FilePart[];
  readonly createdAt: string;
  /** Set: it takes the place of this message, and of all after it. */
  readonly editOf?: string;
  /** It joins the answer that is being written. */
  readonly steers: boolean;
  readonly delivery: Delivery;
}

/** An answer that this reader asked for again and that has not begun yet. */
export interface PendingAnswer {
  readonly id: string;
  /** The answer beside which it will stand; undefined when it is not here. */
  readonly messageId: string | undefined;
  readonly delivery: Delivery;
}

/** What a person should know while a model can't be reached. */
export type Notice = Extract<ParleyEvent, { readonly name: "run.notice" }>["value"];

export interface Transcript {
  readonly conversation: Conversation | undefined;
  /** Last message of the branch that is shown; null when nobody said. */
  readonly head: string | null;
  /** Ids of all messages that are here, of every branch, as the server orders them; the first is the oldest. */
  readonly loaded: readonly string[];
  /** Ids of the messages to show, in the order of reading. Replaced only when it changes. */
  readonly order: readonly string[];
  /** Those of `order` that are not on the branch yet: queued, or about to join the answer. */
  readonly waiting: readonly string[];
  /** Ids of those that follow a message, oldest first; under "" those that follow none. */
  readonly children: ReadonlyMap<string, readonly string[]>;
  readonly settled: ReadonlyMap<string, Message>;
  /** Those that stream: one or two, so that a delta costs the same in a thread of any length. */
  readonly live: ReadonlyMap<string, Message>;
  /** Older messages exist than the first. */
  readonly hasMore: boolean;
  readonly activeRun: Run | undefined;
  /** By position. */
  readonly queuedRuns: readonly Run[];
  /** The latest runs that ended while this reader looked on: their errors and usage. */
  readonly endedRuns: ReadonlyMap<string, Run>;
  /** By id: those that wait for a decision, and those whose decision this reader saw. */
  readonly approvals: ReadonlyMap<string, Approval>;
  /** Of the latest run that made steps while this reader looked on, by index. `run.get` has all of them. */
  readonly steps: readonly Step[];
  /** Of the active run; gone as soon as it says something. */
  readonly notice: Notice | undefined;
  /** What this reader wrote and the server has not shown yet, oldest first; to be shown after `order`. */
  readonly pending: readonly PendingMessage[];
  readonly pendingAnswers: readonly PendingAnswer[];
}

export const EMPTY: Transcript = {
  conversation: undefined,
  head: null,
  loaded: [],
  order: [],
  waiting: [],
  children: new Map(),
  settled: new Map(),
  live: new Map(),
  hasMore: false,
  activeRun: undefined,
  queuedRuns: [],
  endedRuns: new Map(),
  approvals: new Map(),
  steps: [],
  notice: undefined,
  pending: [],
  pendingAnswers: [],
};

export const messageOf = (state: Transcript, id: string): Message | undefined =>
  state.live.get(id) ?? state.settled.get(id);

/** The messages to show, in the order of reading. As long as the thread; not for each delta. */
export const messagesOf = (state: Transcript): Message[] => state.order.flatMap((id) => messageOf(state, id) ?? []);

/** Ids of a message and of those that stand in its place on other branches, oldest first. */
export function siblingsOf(state: Transcript, id: string): readonly string[] {
  const message = messageOf(state, id);
  if (message === undefined || state.waiting.includes(id)) return [id];
  const beside = state.children.get(message.parentId ?? "") ?? [id];
  return beside.filter((other) => messageOf(state, other)?.role === message.role && !state.waiting.includes(other));
}

/** Those that wait for a decision, oldest first. */
export const pendingApprovals = (state: Transcript): readonly Approval[] =>
  [...state.approvals.values()]
    .filter(({ status }) => status === "pending")
    .toSorted((a, b) => (a.requestedAt < b.requestedAt ? -1 : a.requestedAt > b.requestedAt ? 1 : 0));

/** Only a beginning of the part is here; `readRest` fetches the rest. */
export function isCut(part: Part): boolean {
  if (part.type === "tool") return part.length !== undefined;
  const worded = part.type === "text" || part.type === "reasoning";
  return worded && part.length !== undefined && part.length > part.text.length;
}

/** Puts a message where its status says it belongs; the tree is not its business. */
export function stored(state: Transcript, message: Message): Pick<Transcript, "settled" | "live"> {
  let { settled, live } = state;
  if (message.status === "streaming") {
    live = new Map(live).set(message.id, message);
    if (settled.has(message.id)) settled = without(settled, message.id);
  } else {
    settled = new Map(settled).set(message.id, message);
    if (live.has(message.id)) live = without(live, message.id);
  }
  return { settled, live };
}

function without<T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}

/** Drops the oldest entries that `mayGo` allows, until `max` are left. */
export function bounded<T>(
  map: ReadonlyMap<string, T>,
  max: number,
  mayGo: (value: T) => boolean = () => true,
): ReadonlyMap<string, T> {
  if (map.size <= max) return map;
  const kept = new Map(map);
  for (const [key, value] of map) {
    if (kept.size <= max) break;
    if (mayGo(value)) kept.delete(key);
  }
  return kept;
}
