import type { ParleyError } from "../protocol/errors.ts";
import type { Approval, ConversationSnapshot, Message, ToolArgs } from "../protocol/shapes.ts";
import type { Client } from "./client.ts";
import type { EditOptions, OutboxItem, SendOptions, Sent } from "./outbox.ts";
import { readRest } from "./read-rest.ts";
import type { EventMeta, TopicHandlers } from "./subscriptions.ts";
import { reduce, type TranscriptInput } from "./transcript-reduce.ts";
import { EMPTY, messageOf, type PendingAnswer, type PendingMessage, type Transcript } from "./transcript.ts";

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
  /** `send` with `whenBusy: "steer"`: it joins the answer that is being written, at its next step. */
  steer(text: string, options?: EditOptions): Sent;
  /** Says something else in place of the message, on another branch. Shown at once; throws QUEUE_FULL. */
  edit(messageId: string, text: string, options?: EditOptions): Sent;
  /** Asks for another answer beside this one. It is in `transcript.pendingAnswers` until it begins. */
  regenerate(messageId: string, options?: Pick<SendOptions, "model">): Sent;
  /** Asks again what a run that failed or was stopped did not answer. */
  retryRun(runId: string): Sent;
  /** Shows the newest branch that holds the message, on every tab. Rejects with BUSY while a run is active or queued. */
  selectBranch(messageId: string): Promise<void>;
  /**
   * Decides what a tool call waits for; may be repeated. Rejects with ALREADY_DECIDED where somebody decided otherwise.
   * `args` take the place of those that were asked for; `remember` allows this tool from now on.
   */
  decide(approvalId: string, decision: "approve" | "deny", options?: DecideOptions): Promise<Approval>;
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

export interface DecideOptions {
  readonly args?: ToolArgs;
  readonly remember?: boolean;
}

export interface OpenOptions {
  /** Of a link to the conversation: it is read by it, and only read. */
  readonly shareToken?: string | undefined;
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
    const own = items.filter(({ conversationId }) => conversationId === id);
    const messages = own.flatMap(pendingMessage);
    const answers = own.flatMap((item) => pendingAnswer(item, state.transcript));
    apply({ type: "pending", messages, answers });
  }

  const { shareToken } = options;
  const byLink = shareToken === undefined ? {} : { shareToken };
  const handlers: TopicHandlers<ConversationSnapshot> = {
    snapshot(snapshot) {
      const { state: transcript } = reduce(state.transcript, { type: "snapshot", snapshot });
      set({ status: "open", error: undefined, transcript });
    },
    event(event, meta) {
      apply({ type: "event", event });
      options.onEvent?.(event, meta);
    },
    failed: (error) => set({ ...state, status: "failed", error }),
  };
  const subscription = client.subscribe(`conversation:${id}`, handlers, byLink);
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
    steer: (text, editOptions) => client.send(id, text, { ...editOptions, whenBusy: "steer" }),
    edit: (messageId, text, editOptions) => client.outbox.edit(id, messageId, text, editOptions),
    regenerate: (messageId, sendOptions) => client.outbox.regenerate(id, messageId, sendOptions),
    retryRun: (runId) => client.outbox.retryRun(id, runId),
    async selectBranch(messageId) {
      await client.call("conversation.selectBranch", { conversationId: id, messageId });
    },
    async decide(approvalId, decision, decideOptions) {
      const { approval } = await client.call("approval.decide", { approvalId, decision, ...decideOptions });
      apply({ type: "event", event: { type: "CUSTOM", name: "approval.decided", value: { approval } } });
      return approval;
    },
    async stop() {
      const run = state.transcript.activeRun;
      const params = run === undefined ? { conversationId: id } : { runId: run.id };
      return (await client.call("chat.stop", params)).stopped;
    },
    async loadOlder(limit = 50) {
      const { loaded, hasMore } = state.transcript;
      const [before] = loaded;
      if (!hasMore || before === undefined) return false;
      const page = await client.call("conversation.get", { conversationId: id, before, limit, ...byLink });
      // A snapshot may have come meanwhile, and with it another beginning.
      if (state.transcript.loaded[0] !== before) return state.transcript.hasMore;
      apply({ type: "older", messages: page.messages, hasMore: page.hasMore });
      return true;
    },
    readRest: (messageId) => readRest(client, () => messageOf(state.transcript, messageId), apply, byLink),
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

function pendingMessage({ target, clientMessageId: id, text, files = [], ...item }: OutboxItem): PendingMessage[] {
  const { createdAt, delivery, whenBusy } = item;
  const message = { id, text, files, createdAt, steers: whenBusy === "steer", delivery };
  switch (target?.kind) {
    case undefined:
      return [message];
    case "edit":
      return [{ ...message, editOf: target.messageId }];
    case "regenerate":
    case "retry":
      return [];
  }
}

function pendingAnswer({ target, clientMessageId: id, delivery }: OutboxItem, transcript: Transcript): PendingAnswer[] {
  switch (target?.kind) {
    case undefined:
    case "edit":
      return [];
    case "regenerate":
      return [{ id, messageId: target.messageId, delivery }];
    case "retry": {
      const isAnswer = (message: Message | undefined) =>
        message?.role === "assistant" && message.runId === target.runId;
      const messageId = transcript.loaded.findLast((other) => isAnswer(messageOf(transcript, other)));
      return [{ id, messageId, delivery }];
    }
  }
}
