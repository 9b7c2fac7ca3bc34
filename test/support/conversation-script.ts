/** What a server says of one conversation: a valid sequence of events made of arbitrary commands, and its snapshots. */
import fc from "fast-check";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import type { ConversationSnapshot, Message, MessageStatus, Run } from "../../src/protocol/shapes.ts";

export type Command =
  | { readonly type: "send" }
  | { readonly type: "delta"; readonly text: string }
  | { readonly type: "part" }
  /** Back to this share of the text of this share of the parts. */
  | { readonly type: "reset"; readonly part: number; readonly length: number }
  | { readonly type: "finish"; readonly status: "completed" | "stopped" | "failed" }
  | { readonly type: "rename"; readonly title: string };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ type: "send" } as const) },
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant("delta" as const),
      text: fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ type: "part" } as const) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("reset" as const), part: share, length: share }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("finish" as const),
      status: fc.constantFrom("completed", "stopped", "failed"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("rename" as const), title: fc.string({ maxLength: 5 }) }) },
);
export const commands = (maxLength = 60): fc.Arbitrary<Command[]> => fc.array(command, { minLength: 1, maxLength });

const ENDED: Readonly<Record<"completed" | "stopped" | "failed", MessageStatus>> = {
  completed: "complete",
  stopped: "stopped",
  failed: "failed",
};

/** After each event, what the server's store would answer; index 0 is before the first. Texts are those of the log. */
export interface Script {
  readonly events: readonly ParleyEvent[];
  readonly snapshots: readonly ConversationSnapshot[];
}

export const CONVERSATION_ID = "c1";

class Server {
  readonly events: ParleyEvent[] = [];
  readonly snapshots: ConversationSnapshot[] = [];
  #conversation = { id: CONVERSATION_ID, title: "", model: null, createdAt: at(0), updatedAt: at(0) };
  #messages: Message[] = [];
  #active: Run | undefined;
  #queue: Run[] = [];
  #count = 0;

  constructor() {
    this.snapshots.push(this.#snapshot());
  }

  run(step: Command): void {
    switch (step.type) {
      case "send":
        return this.#send();
      case "delta":
        return this.#delta(step.text);
      case "part":
        return this.#start();
      case "reset":
        return this.#reset(step.part, step.length);
      case "finish":
        return this.#finish(step.status);
      case "rename":
        this.#conversation = { ...this.#conversation, title: step.title, updatedAt: at(++this.#count) };
        return this.#emit({
          type: "CUSTOM",
          name: "conversation.renamed",
          value: { conversation: this.#conversation },
        });
    }
  }

  #send(): void {
    const n = ++this.#count;
    const waits = this.#active !== undefined;
    const message: Message = {
      id: `user-${n}`,
      conversationId: CONVERSATION_ID,
      parentId: waits ? null : (this.#tail()?.id ?? null),
      role: "user",
      author: "u1",
      parts: [{ type: "text", text: `question ${n}` }],
      status: "complete",
      createdAt: at(n),
      runId: `run-${n}`,
    };
    const run: Run = {
      id: `run-${n}`,
      conversationId: CONVERSATION_ID,
      status: "queued",
      attempt: 1,
      model: "demo",
      userMessageId: message.id,
      assistantMessageId: `answer-${n}`,
      position: n,
      stopRequested: false,
      usage: { inputTokens: 0, outputTokens: 0 },
      error: null,
      createdAt: at(n),
      startedAt: null,
      finishedAt: null,
    };
    this.#messages.push(message);
    if (waits) this.#queue.push(run);
    this.#emit({ type: "CUSTOM", name: "message.created", value: { message } });
    if (waits) this.#emit({ type: "CUSTOM", name: "run.updated", value: { run } });
    else this.#claim(run);
  }

  /** The last message that does not wait. */
  #tail(): Message | undefined {
    return this.#messages.findLast(({ role }) => role === "assistant");
  }

  #claim(queued: Run): void {
    const run: Run = { ...queued, status: "running", startedAt: at(this.#count) };
    const answer: Message = {
      id: run.assistantMessageId,
      conversationId: CONVERSATION_ID,
      parentId: run.userMessageId,
      role: "assistant",
      author: "demo",
      parts: [],
      status: "streaming",
      createdAt: at(++this.#count),
      runId: run.id,
    };
    this.#active = run;
    const index = this.#messages.findIndex(({ id }) => id === run.userMessageId);
    this.#messages.splice(index + 1, 0, answer);
    this.#emit({ type: "RUN_STARTED", threadId: CONVERSATION_ID, runId: run.id, run, message: answer });
  }

  #answer(): Message | undefined {
    return this.#messages.find(({ id }) => id === this.#active?.assistantMessageId);
  }

  #put(message: Message): void {
    this.#messages = this.#messages.map((other) => (other.id === message.id ? message : other));
  }

  #start(): void {
    const answer = this.#answer();
    if (answer === undefined || this.#active === undefined) return;
    this.#put({ ...answer, parts: [...answer.parts, { type: "text", text: "" }] });
    this.#emit({
      type: "TEXT_MESSAGE_START",
      messageId: answer.id,
      role: "assistant",
      runId: this.#active.id,
      partIndex: answer.parts.length,
    });
  }

  #delta(delta: string): void {
    if (this.#answer()?.parts.length === 0) this.#start();
    const answer = this.#answer();
    if (answer === undefined) return;
    const partIndex = answer.parts.length - 1;
    const text = answer.parts[partIndex]?.text ?? "";
    this.#put({ ...answer, parts: answer.parts.with(partIndex, { type: "text", text: text + delta }) });
    this.#emit({ type: "TEXT_MESSAGE_CONTENT", messageId: answer.id, partIndex, offset: text.length, delta });
  }

  #reset(part: number, share: number): void {
    const answer = this.#answer();
    if (answer === undefined || this.#active === undefined || answer.parts.length === 0) return;
    const partIndex = Math.min(answer.parts.length - 1, Math.floor(part * answer.parts.length));
    const text = answer.parts[partIndex]?.text ?? "";
    const length = Math.floor(share * text.length);
    const parts = answer.parts.slice(0, partIndex + 1).with(partIndex, { type: "text", text: text.slice(0, length) });
    this.#active = { ...this.#active, attempt: this.#active.attempt + 1 };
    this.#put({ ...answer, parts });
    const { id: runId, attempt } = this.#active;
    this.#emit({
      type: "CUSTOM",
      name: "message.reset",
      value: { messageId: answer.id, partIndex, length, attempt, runId },
    });
  }

  #finish(status: "completed" | "stopped" | "failed"): void {
    const answer = this.#answer();
    if (answer === undefined || this.#active === undefined) return;
    const error = status === "failed" ? { code: "MODEL_FAILED", message: "broken" } : null;
    const run: Run = { ...this.#active, status, error, finishedAt: at(++this.#count) };
    this.#put({ ...answer, status: ENDED[status] });
    this.#active = undefined;
    const last = answer.parts.length - 1;
    const text = answer.parts[last]?.text;
    const ids = { threadId: CONVERSATION_ID, runId: run.id };
    if (text !== undefined) {
      const messageId = answer.id;
      this.#emit({ type: "TEXT_MESSAGE_END", messageId, partIndex: last, length: text.length, status: ENDED[status] });
    }
    if (status === "failed") this.#emit({ type: "RUN_ERROR", ...ids, message: "broken", code: "MODEL_FAILED", run });
    else {
      const type = status === "completed" ? "success" : "cancelled";
      this.#emit({ type: "RUN_FINISHED", ...ids, outcome: { type }, usage: [], run });
    }
    this.#next(answer);
  }

  #next(parent: Message): void {
    const next = this.#queue.shift();
    const question = this.#messages.find(({ id }) => id === next?.userMessageId);
    if (next === undefined || question === undefined) return;
    const message = { ...question, parentId: parent.id };
    this.#put(message);
    this.#emit({ type: "CUSTOM", name: "message.updated", value: { message } });
    this.#claim(next);
  }

  #emit(event: ParleyEvent): void {
    this.events.push(event);
    this.snapshots.push(this.#snapshot());
  }

  #snapshot(): ConversationSnapshot {
    return {
      conversation: this.#conversation,
      messages: [...this.#messages],
      hasMore: false,
      ...(this.#active === undefined ? {} : { activeRun: this.#active }),
      queuedRuns: [...this.#queue],
    };
  }
}

const at = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();

export function script(steps: readonly Command[]): Script {
  const server = new Server();
  for (const step of steps) server.run(step);
  return { events: server.events, snapshots: server.snapshots };
}

/**
 * The snapshot that a server reads when its log stands at `seq` and its store, read later, at `later` [L11]: a finished
 * row is taken as it is, a streaming one has the log's text.
 */
export function snapshotAt({ snapshots }: Script, seq: number, later = seq): ConversationSnapshot {
  const log = snapshots[seq];
  const store = snapshots[later];
  if (log === undefined || store === undefined) throw new Error(`there is no event ${seq} or ${later}`);
  const messages = store.messages.map((row) => {
    if (row.status !== "streaming") return row;
    return { ...row, parts: log.messages.find(({ id }) => id === row.id)?.parts ?? [] };
  });
  return { ...store, messages };
}
