/**
 * A transcript as signals: one for each part of a message, so that a token that arrives renders one part and nothing
 * else. `commit` compares by identity, which the transcript keeps for everything that did not change.
 */
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import type { Delivery } from "../../src/client/outbox.ts";
import { EMPTY, isCut, messageOf, type PendingMessage, type Transcript } from "../../src/client/transcript.ts";
import type { Message, MessageStatus, Run, TextPart } from "../../src/protocol/shapes.ts";

export interface MessageView {
  readonly id: string;
  readonly role: Message["role"];
  readonly status: ReadonlySignal<MessageStatus>;
  readonly runId: ReadonlySignal<string | null>;
  /** Of a message of this reader that the server has not shown yet. */
  readonly delivery: ReadonlySignal<Delivery | undefined>;
  readonly parts: ReadonlySignal<readonly ReadonlySignal<TextPart>[]>;
  /** Nothing of it has been said yet. */
  readonly empty: ReadonlySignal<boolean>;
  /** The rest of it is still to be fetched. */
  readonly cut: ReadonlySignal<boolean>;
}

/** A person's message and what answers it. The same object as long as it holds the same messages. */
export interface Turn {
  readonly id: string;
  readonly messages: readonly MessageView[];
}

/** A message that waits for the run before it. Without `runId` it has not reached the server yet. */
export interface Queued {
  readonly id: string;
  readonly text: string;
  readonly runId: string | undefined;
  readonly delivery: Delivery | undefined;
}

interface MessageSignals extends MessageView {
  readonly status: Signal<MessageStatus>;
  readonly runId: Signal<string | null>;
  readonly delivery: Signal<Delivery | undefined>;
  readonly parts: Signal<readonly Signal<TextPart>[]>;
}

export class TranscriptView {
  readonly turns = signal<readonly Turn[]>([]);
  readonly queued = signal<readonly Queued[]>([]);
  readonly title = signal<string | undefined>(undefined);
  readonly hasMore = signal(false);
  readonly activeRun = signal<Run | undefined>(undefined);
  readonly endedRuns = signal<ReadonlyMap<string, Run>>(new Map());
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
      const arranged =
        next.order === before.order &&
        next.pending === before.pending &&
        next.queuedRuns === before.queuedRuns &&
        next.activeRun === before.activeRun;
      if (!arranged) this.#arrange(next, interrupts);
      this.title.value = next.conversation?.title;
      this.hasMore.value = next.hasMore;
      this.activeRun.value = next.activeRun;
      this.endedRuns.value = next.endedRuns;
    });
  }

  #show(message: Message, before: Transcript): void {
    if (messageOf(before, message.id) === message && this.#messages.has(message.id)) return;
    const view = this.#view(message.id, message.role);
    view.status.value = message.status;
    view.runId.value = message.runId;
    view.delivery.value = undefined;
    showParts(view, message.parts);
  }

  #showPending(message: PendingMessage): void {
    const view = this.#view(message.id, "user");
    view.delivery.value = message.delivery;
    showParts(view, [{ type: "text", text: message.text }]);
  }

  #view(id: string, role: Message["role"]): MessageSignals {
    const known = this.#messages.get(id);
    if (known !== undefined) return known;
    const parts = signal<readonly Signal<TextPart>[]>([]);
    const view: MessageSignals = {
      id,
      role,
      status: signal<MessageStatus>("complete"),
      runId: signal<string | null>(null),
      delivery: signal<Delivery | undefined>(undefined),
      parts,
      empty: computed(() => parts.value.every((part) => part.value.text === "")),
      cut: computed(() => parts.value.some((part) => isCut(part.value))),
    };
    this.#messages.set(id, view);
    return view;
  }

  #arrange(next: Transcript, interrupts: (id: string) => boolean): void {
    const waiting = new Map(next.queuedRuns.map((run) => [run.userMessageId, run]));
    const busy = next.activeRun !== undefined || waiting.size > 0;
    const queued: Queued[] = [];
    const shown: MessageView[] = [];
    for (const id of next.order) {
      const view = this.#messages.get(id);
      const run = waiting.get(id);
      if (view === undefined) continue;
      if (run === undefined) shown.push(view);
      else queued.push({ id, text: textOf(view), runId: run.id, delivery: undefined });
    }
    queued.sort((a, b) => (waiting.get(a.id)?.position ?? 0) - (waiting.get(b.id)?.position ?? 0));
    for (const { id, text, delivery } of next.pending) {
      const view = this.#messages.get(id);
      const runId = delivery.state === "accepted" && delivery.run === "queued" ? delivery.runId : undefined;
      const waits = runId !== undefined || (busy && delivery.state !== "refused" && delivery.state !== "accepted");
      if (waits && !interrupts(id)) queued.push({ id, text, runId, delivery });
      else if (view !== undefined) shown.push(view);
    }
    this.queued.value = queued;
    this.turns.value = grouped(shown, this.turns.value);
    this.#forget(next);
  }

  #forget(next: Transcript): void {
    const pending = new Set(next.pending.map(({ id }) => id));
    for (const id of this.#messages.keys()) {
      if (!pending.has(id) && messageOf(next, id) === undefined) this.#messages.delete(id);
    }
  }
}

const textOf = (view: MessageView): string => view.parts.value.map((part) => part.value.text).join("\n\n");

function showParts(view: MessageSignals, parts: readonly TextPart[]): void {
  const known = view.parts.value;
  for (const [i, part] of parts.entries()) {
    const shown = known[i];
    if (shown !== undefined) shown.value = part;
  }
  if (known.length === parts.length) return;
  view.parts.value = parts.map((part, i) => known[i] ?? signal(part));
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
