/** Messages of a transcript: one by one, by pages, in a snapshot, and those that are on their way. */
import type { Conversation, ConversationSnapshot, Message } from "../protocol/shapes.ts";
import { mergeMessage } from "./message-merge.ts";
import type { Edited } from "./message-parts.ts";
import { decidedBefore } from "./transcript-approvals.ts";
import { arranged, headAfter } from "./transcript-tree.ts";
import { messageOf, type PendingAnswer, type PendingMessage, stored, type Transcript } from "./transcript.ts";

export interface Reduced {
  readonly state: Transcript;
  /** Something before this event is missing: subscribe again, for a snapshot. The state is as it was. */
  readonly gap: boolean;
}

export const same = (state: Transcript): Reduced => ({ state, gap: false });
const gap = (state: Transcript): Reduced => ({ state, gap: true });

/** A change of a streaming message. Late ones for a message that is complete are void. */
export function stream(state: Transcript, id: string, edit: (message: Message) => Edited): Reduced {
  const message = state.live.get(id);
  if (message !== undefined) return replaced(state, message, edit(message));
  return state.settled.has(id) ? same(state) : gap(state);
}

/** A change of any message that is here. */
export function change(state: Transcript, id: string, edit: (message: Message) => Message): Transcript {
  const message = messageOf(state, id);
  return message === undefined ? state : replaced(state, message, edit(message)).state;
}

function replaced(state: Transcript, before: Message, after: Edited): Reduced {
  if (after === "gap") return gap(state);
  return same(after === before ? state : { ...state, ...stored(state, after) });
}

export function upsert(state: Transcript, incoming: Message): Transcript {
  const before = messageOf(state, incoming.id);
  // Older than the first that is here, and so on a page that was not asked for yet.
  if (before === undefined && isOlder(state, incoming)) return state;
  const message = mergeMessage(before, incoming);
  let next = message === before ? state : { ...state, ...stored(state, message) };
  if (before === undefined) next = { ...next, loaded: [...next.loaded, message.id] };
  const head = headAfter(next, message);
  const moved = before === undefined || before.parentId !== message.parentId || before.runId !== message.runId;
  return moved || head !== state.head ? arranged(unechoed({ ...next, head })) : next;
}

/** Does it belong to a page before the first message that is here? */
function isOlder(state: Transcript, message: { readonly createdAt: string }): boolean {
  if (!state.hasMore) return false;
  const first = messageOf(state, state.loaded[0] ?? "");
  return first !== undefined && message.createdAt < first.createdAt;
}

export const withHead = (state: Transcript, head: string): Transcript =>
  state.head === head ? state : arranged({ ...state, head });

export function withConversation(state: Transcript, conversation: Conversation): Transcript {
  const before = state.conversation;
  const stale = before !== undefined && conversation.updatedAt < before.updatedAt;
  return stale ? state : { ...state, conversation };
}

// ── on their way ────────────────────────────────────────────────────────────────────────────────────────────────

export function withPending(
  state: Transcript,
  messages: readonly PendingMessage[],
  answers: readonly PendingAnswer[],
): Transcript {
  const pending = kept(state.pending, messages);
  const pendingAnswers = kept(state.pendingAnswers, answers);
  const next = unechoed({ ...state, pending, pendingAnswers });
  const unchanged = sameItems(next.pending, state.pending) && sameItems(next.pendingAnswers, state.pendingAnswers);
  return unchanged ? state : arranged(next);
}

/** The objects that are here, where their delivery has not changed. */
function kept<T extends { readonly id: string; readonly delivery: object }>(
  before: readonly T[],
  now: readonly T[],
): readonly T[] {
  const known = new Map(before.map((item) => [item.id, item]));
  return now.map((item) => {
    const there = known.get(item.id);
    return there?.delivery === item.delivery ? there : item;
  });
}

const sameItems = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i]);

/** Without those that the server shows by now, or would show on an older page. */
export function unechoed(state: Transcript): Transcript {
  if (state.pending.length === 0 && state.pendingAnswers.length === 0) return state;
  const pending = state.pending.filter(
    (message) =>
      messageOf(state, message.id) === undefined && !(message.delivery.state === "accepted" && isOlder(state, message)),
  );
  const pendingAnswers = state.pendingAnswers.filter(
    ({ delivery }) => delivery.state !== "accepted" || !isKnownRun(state, delivery.runId),
  );
  return sameItems(pending, state.pending) && sameItems(pendingAnswers, state.pendingAnswers)
    ? state
    : { ...state, pending, pendingAnswers };
}

/** It is shown in its state, or in its answer: whoever was away while it ran, and ended, has that alone. */
function isKnownRun(state: Transcript, runId: string): boolean {
  if (state.activeRun?.id === runId || state.endedRuns.has(runId)) return true;
  if (state.queuedRuns.some(({ id }) => id === runId)) return true;
  return state.loaded.some((id) => {
    const message = messageOf(state, id);
    return message?.role === "assistant" && message.runId === runId;
  });
}

// ── snapshots and pages ─────────────────────────────────────────────────────────────────────────────────────────

/** The snapshot is the truth; messages that did not change keep their identity, and older pages that join it stay. */
export function fromSnapshot(state: Transcript, snapshot: ConversationSnapshot): Transcript {
  const keptMessages = snapshot.hasMore ? olderThan(state, snapshot.messages) : [];
  const fresh = snapshot.messages.map((message) => mergeMessage(messageOf(state, message.id), message, "snapshot"));
  const messages = [...keptMessages, ...fresh];
  const { activeRun } = snapshot;
  const next: Transcript = {
    ...state,
    conversation: snapshot.conversation,
    head: snapshot.conversation.headMessageId,
    loaded: messages.map(({ id }) => id),
    ...sorted(messages),
    hasMore: keptMessages.length > 0 && keptMessages[0]?.id === state.loaded[0] ? state.hasMore : snapshot.hasMore,
    activeRun: activeRun && state.endedRuns.has(activeRun.id) ? undefined : activeRun,
    queuedRuns: snapshot.queuedRuns.toSorted((a, b) => a.position - b.position),
    approvals: decidedBefore(state.approvals, snapshot.approvals),
    steps: state.steps[0]?.runId === activeRun?.id ? state.steps : [],
    notice: undefined,
  };
  return arranged(unechoed(next));
}

/** Those before the snapshot's first that have not changed since: behind the last one that was not at its end. */
function olderThan(state: Transcript, messages: readonly Message[]): readonly Message[] {
  const joint = state.loaded.indexOf(messages[0]?.id ?? "");
  const inSnapshot = new Set(messages.map(({ id }) => id));
  const older = state.loaded.slice(0, Math.max(0, joint)).filter((id) => !inSnapshot.has(id));
  const open = older.findLastIndex((id) => state.live.has(id) || state.waiting.includes(id));
  return older.slice(open + 1).flatMap((id) => messageOf(state, id) ?? []);
}

export function withOlder(state: Transcript, page: readonly Message[], hasMore: boolean): Transcript {
  const added = page.filter(({ id }) => messageOf(state, id) === undefined);
  const { settled, live } = sorted(added);
  return arranged({
    ...state,
    loaded: [...added.map(({ id }) => id), ...state.loaded],
    settled: new Map([...state.settled, ...settled]),
    live: new Map([...state.live, ...live]),
    hasMore,
  });
}

function sorted(messages: readonly Message[]): Pick<Transcript, "settled" | "live"> {
  const settled = new Map<string, Message>();
  const live = new Map<string, Message>();
  for (const message of messages) (message.status === "streaming" ? live : settled).set(message.id, message);
  return { settled, live };
}
