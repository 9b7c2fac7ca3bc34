import type { ParleyError } from "../protocol/errors.ts";
import type { Message } from "../protocol/shapes.ts";
import type { Client } from "./client.ts";
import { asParleyError } from "./errors.ts";
import type { OutboxItem, SendOptions, Sent } from "./outbox.ts";
import type { EventMeta } from "./subscriptions.ts";
import {
  EMPTY,
  isCut,
  messageOf,
  type PendingMessage,
  reduce,
  type Transcript,
  type TranscriptInput,
} from "./transcript.ts";

export interface ConversationState {
  /** `failed`: the server refuses the conversation; `error` says why, `retry` asks again. */
  readonly status: "loading" | "open" | "failed" | "closed";
  readonly error: ParleyError | undefined;
  readonly transcript: Transcript;
}

export interface OpenConversation {
  readonly id: string;
  readonly state: ConversationState;
  /** Called after each change, with every delta; views gather changes to a frame. The answer unsubscribes. */
  subscribe(listener: (state: ConversationState) => void): () => void;
  /** The message is in `transcript.pending` when this returns. Throws QUEUE_FULL. */
  send(text: string, options?: SendOptions): Sent;
  /** Stops the active run; false when there was none. Waits for a connection, and repeats what may have been lost. */
  stop(): Promise<boolean>;
  /** Reads one page of older messages; false when there are none. */
  loadOlder(limit?: number): Promise<boolean>;
  /** Fetches what is missing of the message's cut parts. */
  readRest(messageId: string): Promise<void>;
  /** Asks again after `failed`. */
  retry(): void;
  close(): void;
}

export interface OpenOptions {
  /** Hears every event, after it was applied. For what a transcript does not hold. */
  readonly onEvent?: (event: Parameters<Parameters<Client["subscribe"]>[1]["event"]>[0], meta: EventMeta) => void;
}

/** Follows a conversation until it is closed: topic, transcript and outbox together. */
export function openConversation(client: Client, id: string, options: OpenOptions = {}): OpenConversation {
  const listeners = new Set<(state: ConversationState) => void>();
  let state: ConversationState = { status: "loading", error: undefined, transcript: EMPTY };

  function set(next: ConversationState): void {
    if (next === state) return;
    state = next;
    const failures: unknown[] = [];
    for (const listener of listeners) {
      try {
        listener(state);
      } catch (error) {
        failures.push(error);
      }
    }
    // All have heard of it; whoever made the change reports what went wrong.
    if (failures.length > 0) throw new AggregateError(failures, "a listener of a conversation threw");
  }

  function apply(input: TranscriptInput): void {
    const { state: transcript, gap } = reduce(state.transcript, input);
    if (gap) subscription.resubscribe({ fresh: true });
    if (transcript !== state.transcript) set({ ...state, transcript });
  }

  function showPending(items: readonly OutboxItem[]): void {
    const messages = items.filter(({ conversationId }) => conversationId === id).map(pendingOf);
    if (messages.length > 0 || state.transcript.pending.length > 0) apply({ type: "pending", messages });
  }

  const subscription = client.subscribe(`conversation:${id}`, {
    snapshot(snapshot) {
      const { state: transcript } = reduce(state.transcript, { type: "snapshot", snapshot });
      set({ status: "open", error: undefined, transcript });
    },
    event(event, meta) {
      apply({ type: "event", event });
      options.onEvent?.(event, meta);
    },
    failed: (error) => set({ ...state, status: "failed", error }),
  });
  const stopOutbox = client.outbox.subscribe(showPending);
  showPending(client.outbox.items);

  return {
    id,
    get state() {
      return state;
    },
    subscribe(listener) {
      const entry = (value: ConversationState): void => listener(value);
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    send: (text, sendOptions) => client.send(id, text, sendOptions),
    async stop() {
      const run = state.transcript.activeRun;
      const params = run === undefined ? { conversationId: id } : { runId: run.id };
      return (await client.call("chat.stop", params)).stopped;
    },
    async loadOlder(limit = 50) {
      const { order, hasMore } = state.transcript;
      const [before] = order;
      if (!hasMore || before === undefined) return false;
      const page = await client.call("conversation.get", { conversationId: id, before, limit });
      // A snapshot may have come meanwhile, and with it another beginning.
      if (state.transcript.order[0] !== before) return state.transcript.hasMore;
      apply({ type: "older", messages: page.messages, hasMore: page.hasMore });
      return true;
    },
    readRest: (messageId) => fetchRest(client, () => messageOf(state.transcript, messageId), apply),
    retry() {
      if (state.status !== "failed") return;
      set({ ...state, status: "loading", error: undefined });
      subscription.resubscribe();
    },
    close() {
      subscription.close();
      stopOutbox();
      set({ ...state, status: "closed" });
      listeners.clear();
    },
  };
}

const pendingOf = ({ clientMessageId, text, createdAt, delivery }: OutboxItem): PendingMessage => ({
  id: clientMessageId,
  text,
  createdAt,
  delivery,
});

/** A server that answers without getting on is not asked for ever. */
const MAX_READS = 10_000;

async function fetchRest(
  client: Client,
  current: () => Message | undefined,
  apply: (input: TranscriptInput) => void,
): Promise<void> {
  for (let reads = 0; reads < MAX_READS; reads++) {
    const message = current();
    const partIndex = message?.parts.findIndex(isCut) ?? -1;
    const offset = message?.parts[partIndex]?.text.length;
    if (message === undefined || offset === undefined) return;
    const read = await client.call("message.read", { messageId: message.id, partIndex, offset });
    apply({ type: "rest", messageId: message.id, partIndex, offset, ...read });
    if (read.text === "") return;
  }
}

/** `message` with all of its text, for whoever keeps no transcript. Rejects with a `ParleyError`. */
export async function readRest(client: Client, message: Message): Promise<Message> {
  let whole: Transcript = { ...EMPTY, settled: new Map([[message.id, message]]) };
  try {
    await fetchRest(
      client,
      () => messageOf(whole, message.id),
      (input) => (whole = reduce(whole, input).state),
    );
  } catch (error) {
    throw asParleyError(error);
  }
  return messageOf(whole, message.id) ?? message;
}
