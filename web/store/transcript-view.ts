/**
 * A transcript as signals: one for each part of a message, so that a token that arrives renders one part and nothing
 * else. `commit` compares by identity, which the transcript keeps for everything that did not change.
 */
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import type { Delivery } from "../../src/client/outbox.ts";
import {
  EMPTY,
  isCut,
  messageOf,
  type Notice,
  type PendingAnswer,
  type PendingMessage,
  siblingsOf,
  type Transcript,
} from "../../src/client/transcript.ts";
import type { Approval, Message, MessageStatus, Part, PlanTask, Run, Usage } from "../../src/protocol/shapes.ts";
import { isHiddenCall } from "./plan-calls.ts";
import { queueOf, type Queued } from "./queue.ts";

/** Messages that stand in the same place on different branches. */
export interface Versions {
  /** Oldest first. */
  readonly ids: readonly string[];
  /** Of the one that is shown. */
  readonly index: number;
}

export interface MessageView {
  readonly id: string;
  readonly role: Message["role"];
  /** The model that answers; of a person's message, the user. "" while nobody knows. */
  readonly author: string;
  readonly createdAt: string;
  readonly status: ReadonlySignal<MessageStatus>;
  readonly runId: ReadonlySignal<string | null>;
  /** Of what this reader sent and the server has not shown yet: a message, or the wish for an answer. */
  readonly delivery: ReadonlySignal<Delivery | undefined>;
  readonly parts: ReadonlySignal<readonly ReadonlySignal<Part>[]>;
  readonly plan: ReadonlySignal<readonly PlanTask[] | undefined>;
  readonly usage: ReadonlySignal<Usage | undefined>;
  readonly error: ReadonlySignal<Message["error"]>;
  /** Undefined where there is one only. */
  readonly versions: ReadonlySignal<Versions | undefined>;
  /** No text of it is here yet. */
  readonly empty: ReadonlySignal<boolean>;
  /** The rest of its text is still to be fetched. */
  readonly cut: ReadonlySignal<boolean>;
  /** It is being written, and nothing that is shown of it moves. */
  readonly silent: ReadonlySignal<boolean>;
}

/** A person's message and what answers it. The same object as long as it holds the same messages. */
export interface Turn {
  readonly id: string;
  readonly messages: readonly MessageView[];
}

interface MessageSignals extends MessageView {
  readonly status: Signal<MessageStatus>;
  readonly runId: Signal<string | null>;
  readonly delivery: Signal<Delivery | undefined>;
  readonly parts: Signal<readonly Signal<Part>[]>;
  readonly plan: Signal<readonly PlanTask[] | undefined>;
  readonly usage: Signal<Usage | undefined>;
  readonly error: Signal<Message["error"]>;
  readonly versions: Signal<Versions | undefined>;
}

export class TranscriptView {
  readonly turns = signal<readonly Turn[]>([]);
  readonly queued = signal<readonly Queued[]>([]);
  readonly title = signal<string | undefined>(undefined);
  /** That the conversation was made for, and that answered last; null where none was. */
  readonly model = signal<string | null>(null);
  readonly hasMore = signal(false);
  readonly activeRun = signal<Run | undefined>(undefined);
  readonly endedRuns = signal<ReadonlyMap<string, Run>>(new Map());
  readonly notice = signal<Notice | undefined>(undefined);
  /** The latest of each tool call, by the call's id. */
  readonly approvals = signal<ReadonlyMap<string, Approval>>(new Map());
  readonly #messages = new Map<string, MessageSignals>();
  #shown: Transcript = EMPTY;

  /** `interrupts`: does this pending message stop the run that is active, rather than wait for it? */
  commit(next: Transcript, interrupts: (id: string) => boolean = () => false): void {
    const before = this.#shown;
    if (next === before) return;
    this.#shown = next;
    batch(() => {
      if (next.live !== before.live) for (const message of next.live.values()) this.#show(message, before);
      if (next.settled !== before.settled) for (const message of next.settled.values()) this.#show(message, before);
      if (next.pending !== before.pending) for (const message of next.pending) this.#showPending(message);
      if (next.pendingAnswers !== before.pendingAnswers) next.pendingAnswers.forEach((one) => this.#showAsked(one));
      if (!arrangedAlike(next, before)) this.#arrange(next, interrupts);
      if (next.approvals !== before.approvals) this.approvals.value = byCall(next.approvals);
      this.title.value = next.conversation?.title;
      this.hasMore.value = next.hasMore;
      this.activeRun.value = next.activeRun;
      this.endedRuns.value = next.endedRuns;
      this.notice.value = next.notice;
    });
  }

  #show(message: Message, before: Transcript): void {
    if (messageOf(before, message.id) === message && this.#messages.has(message.id)) return;
    const view = this.#view(message.id, message);
    view.status.value = message.status;
    view.runId.value = message.runId;
    view.delivery.value = undefined;
    view.plan.value = message.plan;
    view.usage.value = message.usage;
    view.error.value = message.error;
    showParts(view, message.parts);
  }

  #showPending({ id, text, files, createdAt, delivery }: PendingMessage): void {
    const view = this.#view(id, { role: "user", author: "", createdAt });
    view.delivery.value = delivery;
    showParts(view, [{ type: "text", text }, ...files]);
  }

  #showAsked({ id, delivery }: PendingAnswer): void {
    const view = this.#view(id, { role: "assistant", author: "", createdAt: "" });
    view.status.value = "streaming";
    view.delivery.value = delivery;
  }

  #view(id: string, about: Pick<Message, "role" | "author" | "createdAt">): MessageSignals {
    const known = this.#messages.get(id);
    if (known !== undefined) return known;
    const view = messageSignals(id, about);
    this.#messages.set(id, view);
    return view;
  }

  #arrange(next: Transcript, interrupts: (id: string) => boolean): void {
    const waiting = new Set(next.waiting);
    const shown: MessageView[] = [];
    const show = (id: string): void => {
      const view = this.#messages.get(id);
      if (view !== undefined) shown.push(view);
    };
    for (const id of next.order) {
      if (waiting.has(id)) continue;
      show(id);
      this.#showVersions(next, id);
    }
    const { queued, ahead } = queueOf(next, interrupts);
    for (const id of ahead) show(id);
    for (const { id, delivery } of next.pendingAnswers) if (delivery.state !== "refused") show(id);
    this.queued.value = queued;
    this.turns.value = grouped(shown, this.turns.value);
    this.model.value =
      next.activeRun?.model ??
      (shown.findLast(({ role, author }) => role === "assistant" && author !== "")?.author || undefined) ??
      next.conversation?.model ??
      null;
    this.#forget(next);
  }

  #showVersions(next: Transcript, id: string): void {
    const view = this.#messages.get(id);
    if (view === undefined) return;
    const ids = siblingsOf(next, id);
    const versions = ids.length < 2 ? undefined : { ids, index: ids.indexOf(id) };
    const before = view.versions.peek();
    if (before?.index === versions?.index && before?.ids.join() === versions?.ids.join()) return;
    view.versions.value = versions;
  }

  #forget(next: Transcript): void {
    const pending = new Set([...next.pending, ...next.pendingAnswers].map(({ id }) => id));
    for (const id of this.#messages.keys()) {
      if (!pending.has(id) && messageOf(next, id) === undefined) this.#messages.delete(id);
    }
  }
}

const arrangedAlike = (next: Transcript, before: Transcript): boolean =>
  next.order === before.order &&
  next.children === before.children &&
  next.waiting === before.waiting &&
  next.pending === before.pending &&
  next.pendingAnswers === before.pendingAnswers &&
  next.queuedRuns === before.queuedRuns &&
  next.activeRun === before.activeRun &&
  next.conversation?.model === before.conversation?.model;

function messageSignals(
  id: string,
  { role, author, createdAt }: Pick<Message, "role" | "author" | "createdAt">,
): MessageSignals {
  const parts = signal<readonly Signal<Part>[]>([]);
  const status = signal<MessageStatus>("complete");
  return {
    id,
    role,
    author,
    createdAt,
    status,
    runId: signal<string | null>(null),
    delivery: signal<Delivery | undefined>(undefined),
    parts,
    plan: signal<readonly PlanTask[] | undefined>(undefined),
    usage: signal<Usage | undefined>(undefined),
    error: signal<Message["error"]>(undefined),
    versions: signal<Versions | undefined>(undefined),
    empty: computed(() => parts.value.every(({ value }) => value.type !== "text" || value.text === "")),
    cut: computed(() => parts.value.some(({ value }) => value.type === "text" && isCut(value))),
    silent: computed(() => status.value === "streaming" && !moves(parts.value.at(-1)?.value)),
  };
}

/** Does the last part of an answer show by itself that the answer goes on? */
function moves(last: Part | undefined): boolean {
  switch (last?.type) {
    case "text":
      return last.text !== "";
    case "reasoning":
      return true;
    case "tool":
      return !isHiddenCall(last) && ["streaming", "pending", "waiting", "running"].includes(last.status);
    case "file":
    case undefined:
      return false;
  }
}

const kindOf = (part: Part): string => (part.type === "tool" ? part.toolCallId : part.type);

/** A part's signal stays with it; what takes another's place is another part. */
function showParts(view: MessageSignals, parts: readonly Part[]): void {
  const known = view.parts.peek();
  let same = known.length === parts.length;
  const next = parts.map((part, i) => {
    const shown = known[i];
    if (shown !== undefined && kindOf(shown.peek()) === kindOf(part)) {
      shown.value = part;
      return shown;
    }
    same = false;
    return signal(part);
  });
  if (!same) view.parts.value = next;
}

function byCall(approvals: ReadonlyMap<string, Approval>): ReadonlyMap<string, Approval> {
  const latest = new Map<string, Approval>();
  for (const approval of approvals.values()) {
    const other = latest.get(approval.toolCallId);
    if (other === undefined || other.requestedAt <= approval.requestedAt) latest.set(approval.toolCallId, approval);
  }
  return latest;
}

/** Turns begin with a person's message. Those that hold what they held keep their identity. */
function grouped(messages: readonly MessageView[], before: readonly Turn[]): readonly Turn[] {
  const groups: MessageView[][] = [];
  for (const message of messages) {
    const group = groups.at(-1);
    if (group === undefined || message.role === "user") groups.push([message]);
    else group.push(message);
  }
  const known = new Map(before.map((turn) => [turn.id, turn]));
  return groups.map((group) => {
    const id = group[0]?.id ?? "";
    const turn = known.get(id);
    const same = turn?.messages.length === group.length && turn.messages.every((message, i) => message === group[i]);
    return same && turn !== undefined ? turn : { id, messages: group };
  });
}
