/**
 * A conversation as its readers see it: a pure function of what they were sent.
 *
 * A delta costs the same in a thread of ten and of ten thousand messages. Messages that stream stand in `live`, a map
 * of one or two that is copied for each delta; all others stand in `settled`, which is copied once per message. A
 * delta replaces one message object, its `parts` array and one part; every other object keeps its identity, so that a
 * view can compare by `===`. Text grows by concatenation, which engines do without copying.
 *
 * Meeting an event twice, or after a snapshot that knows it already, changes nothing [W4]:
 * - a message that is complete stays as it is, whatever deltas come late;
 * - a run that ended stays ended;
 * - text is placed by offset [W5].
 */
import type { ParleyEvent } from "../protocol/events.ts";
import type { Conversation, ConversationSnapshot, Message, Run, TextPart } from "../protocol/shapes.ts";
import { mergeMessage } from "./message-merge.ts";
import { arrange } from "./message-order.ts";
import { rest, text, textEnd, textReset, textStart } from "./message-text.ts";
import type { Delivery } from "./outbox.ts";

/** A message of this reader that the server has not shown yet. Its id will be the message's. */
export interface PendingMessage {
  readonly id: string;
  readonly text: string;
  readonly createdAt: string;
  readonly delivery: Delivery;
}

export interface Transcript {
  readonly conversation: Conversation | undefined;
  /** Ids of the messages in the order of reading. Replaced only when the order changes. */
  readonly order: readonly string[];
  readonly settled: ReadonlyMap<string, Message>;
  readonly live: ReadonlyMap<string, Message>;
  /** Older messages exist than the first. */
  readonly hasMore: boolean;
  readonly activeRun: Run | undefined;
  /** By position. */
  readonly queuedRuns: readonly Run[];
  /** The latest runs that ended while this reader looked on: their errors and usage. */
  readonly endedRuns: ReadonlyMap<string, Run>;
  /** What this reader wrote and the server has not shown yet, oldest first; to be shown after all messages. */
  readonly pending: readonly PendingMessage[];
}

export type TranscriptInput =
  | { readonly type: "snapshot"; readonly snapshot: ConversationSnapshot }
  | { readonly type: "event"; readonly event: ParleyEvent }
  /** All messages of this conversation that are in the outbox, oldest first. */
  | { readonly type: "pending"; readonly messages: readonly PendingMessage[] }
  /** A page of older messages, oldest first. */
  | { readonly type: "older"; readonly messages: readonly Message[]; readonly hasMore: boolean }
  /** What `message.read` gave of a part that was cut. */
  | {
      readonly type: "rest";
      readonly messageId: string;
      readonly partIndex: number;
      readonly offset: number;
      readonly text: string;
      readonly length: number;
    };

type ResetValue = Extract<ParleyEvent, { readonly name: "message.reset" }>["value"];

export interface Reduced {
  readonly state: Transcript;
  /** Something before this event is missing: subscribe again, for a snapshot. The state is as it was. */
  readonly gap: boolean;
}

export const EMPTY: Transcript = {
  conversation: undefined,
  order: [],
  settled: new Map(),
  live: new Map(),
  hasMore: false,
  activeRun: undefined,
  queuedRuns: [],
  endedRuns: new Map(),
  pending: [],
};

const MAX_ENDED = 100;

export const messageOf = (state: Transcript, id: string): Message | undefined =>
  state.live.get(id) ?? state.settled.get(id);

/** All messages in the order of reading. As long as the thread; not for each delta. */
export const messagesOf = (state: Transcript): Message[] => state.order.flatMap((id) => messageOf(state, id) ?? []);

/** Only the beginning of the part is here; `readRest` fetches the rest. */
export const isCut = (part: TextPart): boolean => part.length !== undefined && part.length > part.text.length;

const same = (state: Transcript): Reduced => ({ state, gap: false });
const gap = (state: Transcript): Reduced => ({ state, gap: true });

export function reduce(state: Transcript, input: TranscriptInput): Reduced {
  switch (input.type) {
    case "snapshot":
      return same(fromSnapshot(state, input.snapshot));
    case "event":
      return applyEvent(state, input.event);
    case "pending":
      return same(withPending(state, input.messages));
    case "older":
      return same(withOlder(state, input.messages, input.hasMore));
    case "rest":
      return change(state, input.messageId, (message) => rest(message, input));
  }
}

function applyEvent(state: Transcript, event: ParleyEvent): Reduced {
  switch (event.type) {
    case "TEXT_MESSAGE_CONTENT":
      return stream(state, event.messageId, (message) => text(message, event));
    case "TEXT_MESSAGE_START":
      return stream(state, event.messageId, (message) => textStart(message, event));
    case "TEXT_MESSAGE_END":
      return stream(state, event.messageId, (message) => textEnd(message, event));
    case "RUN_STARTED":
      return same(started(state, event.run, event.message));
    case "RUN_FINISHED":
    case "RUN_ERROR":
      return same(withRun(state, event.run));
    case "CUSTOM":
      switch (event.name) {
        case "message.created":
        case "message.updated":
          return same(upsert(state, event.value.message));
        case "message.reset":
          return takenOver(state, event.value);
        case "run.updated":
          return same(withRun(state, event.value.run));
        case "conversation.created":
        case "conversation.renamed":
        case "conversation.updated":
          return same(withConversation(state, event.value.conversation));
        default:
          return same(state);
      }
    default:
      // A newer server may say what this client does not know.
      return same(state);
  }
}

/** A change of a streaming message. Late ones for a message that is complete are void. */
function stream(state: Transcript, id: string, edit: (message: Message) => Message | "gap"): Reduced {
  const message = state.live.get(id);
  if (message !== undefined) return replace(state, message, edit(message));
  return state.settled.has(id) ? same(state) : gap(state);
}

/** Another process goes on with the run: this is all that readers hear of its new attempt. */
function takenOver(state: Transcript, reset: ResetValue): Reduced {
  const { state: after, gap: missing } = stream(state, reset.messageId, (message) => textReset(message, reset));
  const run = after.activeRun;
  if (missing || run?.id !== reset.runId || run.attempt >= reset.attempt) return { state: after, gap: missing };
  return same({ ...after, activeRun: { ...run, attempt: reset.attempt } });
}

function change(state: Transcript, id: string, edit: (message: Message) => Message | "gap"): Reduced {
  const message = messageOf(state, id);
  return message === undefined ? same(state) : replace(state, message, edit(message));
}

function replace(state: Transcript, before: Message, after: Message | "gap"): Reduced {
  if (after === "gap") return gap(state);
  return same(after === before ? state : { ...state, ...store(state, after) });
}

/** Puts a message where its status says it belongs; the order is not its business. */
function store(state: Transcript, message: Message): Pick<Transcript, "settled" | "live"> {
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

function upsert(state: Transcript, incoming: Message): Transcript {
  const before = messageOf(state, incoming.id);
  // Older than the first that is here, and so on a page that was not asked for yet.
  if (before === undefined && isOlder(state, incoming)) return state;
  const message = mergeMessage(before, incoming);
  if (message === before) return state;
  const next: Transcript = { ...state, ...store(state, message) };
  const moved = before === undefined || before.parentId !== message.parentId;
  if (!moved) return next;
  const order = before === undefined ? [...state.order, message.id] : state.order;
  const arranged: Transcript = { ...next, order: arrange(order, (id) => messageOf(next, id)?.parentId) };
  return before === undefined ? { ...arranged, pending: unechoed(arranged, state.pending) } : arranged;
}

/** Does it belong to a page before the first message that is here? */
function isOlder(state: Transcript, message: { readonly createdAt: string }): boolean {
  if (!state.hasMore) return false;
  const first = messageOf(state, state.order[0] ?? "");
  return first !== undefined && message.createdAt < first.createdAt;
}

function withPending(state: Transcript, messages: readonly PendingMessage[]): Transcript {
  const before = new Map(state.pending.map((message) => [message.id, message]));
  const pending = unechoed(
    state,
    messages.map((message) => {
      const known = before.get(message.id);
      return known?.delivery === message.delivery ? known : message;
    }),
  );
  const unchanged =
    pending.length === state.pending.length && pending.every((message, i) => message === state.pending[i]);
  return unchanged ? state : { ...state, pending };
}

/** Without those that the server shows by now, or would show on an older page. */
function unechoed(state: Transcript, pending: readonly PendingMessage[]): readonly PendingMessage[] {
  const left = pending.filter(
    (message) =>
      messageOf(state, message.id) === undefined && !(message.delivery.state === "accepted" && isOlder(state, message)),
  );
  return left.length === pending.length ? pending : left;
}

function withConversation(state: Transcript, conversation: Conversation): Transcript {
  const before = state.conversation;
  const stale = before !== undefined && conversation.updatedAt < before.updatedAt;
  return stale ? state : { ...state, conversation };
}

const isEnded = ({ status }: Run): boolean => status === "completed" || status === "failed" || status === "stopped";

/** It is known to have ended, by its own end or by its answer's. */
function hasEnded(state: Transcript, run: Run): boolean {
  return state.endedRuns.has(run.id) || state.settled.has(run.assistantMessageId);
}

function started(state: Transcript, run: Run, message: Message): Transcript {
  if (hasEnded(state, run)) return state;
  const known = state.live.has(message.id);
  return withRun(known ? state : upsert(state, message), run);
}

function withRun(state: Transcript, run: Run): Transcript {
  if (isEnded(run)) return ended(state, run);
  if (hasEnded(state, run)) return state;
  if (run.status === "queued") {
    // An active run does not go back into the queue; this is late.
    if (state.activeRun?.id === run.id) return state;
    return { ...state, queuedRuns: inQueue(state.queuedRuns, run) };
  }
  // An earlier attempt of it is late too.
  if (state.activeRun?.id === run.id && state.activeRun.attempt > run.attempt) return state;
  return { ...state, activeRun: run, queuedRuns: withoutRun(state.queuedRuns, run) };
}

const inQueue = (runs: readonly Run[], run: Run): readonly Run[] =>
  [...runs.filter(({ id }) => id !== run.id), run].toSorted((a, b) => a.position - b.position);

const withoutRun = (runs: readonly Run[], run: Run): readonly Run[] =>
  runs.some(({ id }) => id === run.id) ? runs.filter(({ id }) => id !== run.id) : runs;

/** Whatever its text was when it ended is what there is: a failed answer keeps its beginning. */
function ended(state: Transcript, run: Run): Transcript {
  const endedRuns = new Map(state.endedRuns).set(run.id, run);
  for (const oldest of endedRuns.keys()) {
    if (endedRuns.size <= MAX_ENDED) break;
    endedRuns.delete(oldest);
  }
  const message = state.live.get(run.assistantMessageId);
  const stored = message === undefined ? {} : store(state, { ...message, status: statusAfter(run) });
  return {
    ...state,
    ...stored,
    endedRuns,
    activeRun: state.activeRun?.id === run.id ? undefined : state.activeRun,
    queuedRuns: withoutRun(state.queuedRuns, run),
  };
}

function statusAfter({ status }: Run): Message["status"] {
  switch (status) {
    case "failed":
      return "failed";
    case "stopped":
      return "stopped";
    case "queued":
    case "running":
    case "waiting":
    case "completed":
      return "complete";
  }
}

/** The snapshot is the truth; messages that did not change keep their identity, and older pages that join it stay. */
function fromSnapshot(state: Transcript, snapshot: ConversationSnapshot): Transcript {
  const first = snapshot.messages[0];
  const joint = first === undefined ? -1 : state.order.indexOf(first.id);
  const older = snapshot.hasMore && joint > 0 ? state.order.slice(0, joint) : [];
  const inSnapshot = new Set(snapshot.messages.map(({ id }) => id));
  const kept = older.filter((id) => !inSnapshot.has(id)).flatMap((id) => messageOf(state, id) ?? []);
  const fresh = snapshot.messages.map((message) => mergeMessage(messageOf(state, message.id), message, "snapshot"));

  const messages = [...kept, ...fresh];
  const settled = new Map<string, Message>();
  const live = new Map<string, Message>();
  for (const message of messages) (message.status === "streaming" ? live : settled).set(message.id, message);
  const next: Transcript = {
    ...state,
    conversation: snapshot.conversation,
    settled,
    live,
    hasMore: kept.length > 0 ? state.hasMore : snapshot.hasMore,
    activeRun: snapshot.activeRun && state.endedRuns.has(snapshot.activeRun.id) ? undefined : snapshot.activeRun,
    queuedRuns: snapshot.queuedRuns.toSorted((a, b) => a.position - b.position),
  };
  const order = arrange(
    messages.map(({ id }) => id),
    (id) => messageOf(next, id)?.parentId,
  );
  const unchanged = order.length === state.order.length && order.every((id, i) => id === state.order[i]);
  const ordered: Transcript = { ...next, order: unchanged ? state.order : order };
  return { ...ordered, pending: unechoed(ordered, state.pending) };
}

function withOlder(state: Transcript, page: readonly Message[], hasMore: boolean): Transcript {
  const added = page.filter(({ id }) => messageOf(state, id) === undefined);
  const settled = new Map(state.settled);
  const live = new Map(state.live);
  for (const message of added) (message.status === "streaming" ? live : settled).set(message.id, message);
  const next: Transcript = { ...state, settled, live, hasMore };
  const order = [...added.map(({ id }) => id), ...state.order];
  return { ...next, order: arrange(order, (id) => messageOf(next, id)?.parentId) };
}
