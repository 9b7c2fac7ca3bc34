/** The tree of messages: which follow which, what is shown of it, what waits to join it. */
import type { Message } from "../protocol/shapes.ts";
import { arrange } from "./message-order.ts";
import { messageOf, type Transcript } from "./transcript.ts";

/** By time, then by id: the same whether a reader saw them come or got them in a snapshot. */
const older = (a: Message, b: Message): number =>
  a.createdAt === b.createdAt ? (a.id < b.id ? -1 : 1) : a.createdAt < b.createdAt ? -1 : 1;

/** Fills in what depends on messages, `head`, runs and what is pending. Linear in the number of messages. */
export function arranged(state: Transcript): Transcript {
  const messages = state.loaded.flatMap((id) => messageOf(state, id) ?? []);
  const children = childrenOf(messages);
  const branch = branchOf(state, messages);
  const waiting = state.head === null ? [] : waitingOf(state, messages, children, new Set(branch));
  const order = [...withoutReplaced(state, branch), ...waiting];
  return {
    ...state,
    children,
    order: same(order, state.order) ? state.order : order,
    waiting: same(waiting, state.waiting) ? state.waiting : waiting,
  };
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((id, i) => id === b[i]);

function childrenOf(messages: readonly Message[]): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const { id, parentId } of messages.toSorted(older)) {
    const siblings = children.get(parentId ?? "");
    if (siblings === undefined) children.set(parentId ?? "", [id]);
    else siblings.push(id);
  }
  return children;
}

/** From the first message that is here to the head. Where nobody named a head, all that there is. */
function branchOf(state: Transcript, messages: readonly Message[]): readonly string[] {
  if (state.head === null) {
    const ids = messages.toSorted(older).map(({ id }) => id);
    return arrange(ids, (id) => messageOf(state, id)?.parentId);
  }
  const branch: string[] = [];
  const seen = new Set<string>();
  for (let id: string | null = state.head; id !== null && !seen.has(id);) {
    const message = messageOf(state, id);
    if (message === undefined) break;
    seen.add(id);
    branch.push(id);
    id = message.parentId;
  }
  return branch.toReversed();
}

/**
 * Messages of people that follow nothing yet, and those whose run is queued. A queued run's question may stand at the
 * end of a chain: messages that came too late to join an answer.
 */
function waitingOf(
  state: Transcript,
  messages: readonly Message[],
  children: Transcript["children"],
  branch: ReadonlySet<string>,
): readonly string[] {
  /** Id → place in the queue. */
  const places = new Map<string, number>();
  const isLeaf = (id: string): boolean => (children.get(id) ?? []).length === 0;
  for (const { id, role, parentId } of messages) {
    if (role === "user" && parentId === null && !branch.has(id) && isLeaf(id)) places.set(id, -1);
  }
  for (const { userMessageId, position } of state.queuedRuns) {
    if (!isLeaf(userMessageId)) continue;
    for (let message = messageOf(state, userMessageId); message?.role === "user" && !branch.has(message.id);) {
      places.set(message.id, position);
      message = message.parentId === null ? undefined : messageOf(state, message.parentId);
    }
  }
  return messages
    .filter(({ id }) => places.has(id))
    .toSorted((a, b) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0) || older(a, b))
    .map(({ id }) => id);
}

/** Without what the reader is about to replace: an edited message and all after it, an answer that is asked for again. */
function withoutReplaced(state: Transcript, branch: readonly string[]): readonly string[] {
  let end = branch.length;
  const replace = (id: string | undefined): void => {
    const at = id === undefined ? -1 : branch.indexOf(id);
    if (at >= 0) end = Math.min(end, at);
  };
  for (const { editOf, delivery } of state.pending) if (delivery.state !== "refused") replace(editOf);
  for (const { messageId, delivery } of state.pendingAnswers) if (delivery.state !== "refused") replace(messageId);
  return end === branch.length ? branch : branch.slice(0, end);
}

/**
 * The head after a message was told of: one that follows the head is the head, and so is what follows it. Another
 * branch is named by the server; what it named may be told again after what came later.
 */
export function headAfter(state: Transcript, added: Message): string | null {
  const first = state.loaded.length === 1 && state.head === null;
  if (!first && (added.parentId === null || added.parentId !== state.head)) return state.head;
  const children = childrenOf(state.loaded.flatMap((id) => messageOf(state, id) ?? []));
  let head = added.id;
  for (let next = children.get(head)?.at(-1); next !== undefined; next = children.get(head)?.at(-1)) head = next;
  return head;
}
