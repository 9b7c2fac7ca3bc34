import { ParleyError } from "../../src/protocol/errors.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";
/**
 * One conversation of the scripted page server: its rows, and what each change of them tells its readers. A test says
 * when a model speaks, when a tool runs, when a run ends; persons' commands come from the page.
 */
import { uuidv7 } from "../../src/protocol/id.ts";
import type {
  Approval,
  Conversation,
  FilePart,
  Message,
  Part,
  PlanTask,
  Run,
  ToolArgs,
  ToolPart,
  Usage,
} from "../../src/protocol/shapes.ts";

export const USER = { id: "user-1", name: "Ada" };

export type Emit = (event: ParleyEvent, repeat?: number) => void;

/** What a person says or asks for. */
export interface Asked {
  readonly text: string;
  readonly files: readonly FilePart[];
  readonly model: string | undefined;
  readonly whenBusy: string;
  readonly clientMessageId: string | undefined;
}

export interface Accepted {
  readonly runId: string;
  readonly userMessageId: string;
  readonly state: "running" | "queued" | "steered";
}

const now = (): string => new Date().toISOString();
const copy = <T>(value: T): T => structuredClone(value);
const ENDED = { completed: "complete", stopped: "stopped", failed: "failed" } as const;

export class PageThread {
  conversation: Conversation;
  readonly messages: Message[] = [];
  readonly runs: Run[] = [];
  readonly approvals: Approval[] = [];
  /** A run began its turn: a test's answer may begin. */
  onTurn: ((run: Run, text: string) => void) | undefined;
  readonly #emit: Emit;
  #steers: string[] = [];
  /** Questions that get their parent when their turn comes. */
  readonly #unplaced = new Set<string>();

  constructor(conversation: Conversation, emit: Emit) {
    this.conversation = conversation;
    this.#emit = emit;
  }

  get active(): Run | undefined {
    return this.runs.find(({ status }) => status === "running" || status === "waiting");
  }

  get queued(): readonly Run[] {
    return this.runs.filter(({ status }) => status === "queued").toSorted((a, b) => a.position - b.position);
  }

  message(id: string): Message {
    const message = this.messages.find((other) => other.id === id);
    if (message === undefined) throw new ParleyError("NOT_FOUND");
    return message;
  }

  answer(run: Run): Message {
    return this.message(run.assistantMessageId);
  }

  /** A message that was there before anybody looked. */
  add(message: Pick<Message, "role" | "parts"> & Partial<Message>): Message {
    const added: Message = {
      id: uuidv7(),
      conversationId: this.conversation.id,
      parentId: this.conversation.headMessageId,
      author: message.role === "user" ? USER.id : "demo",
      status: "complete",
      createdAt: now(),
      runId: null,
      ...message,
    };
    this.messages.push(added);
    if (added.parentId === this.conversation.headMessageId) this.#head(added.id);
    return added;
  }

  #head(headMessageId: string): void {
    this.conversation = { ...this.conversation, headMessageId };
  }

  // ── persons ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Answers what the sender is told, and tells everybody else when `after` runs. */
  send(asked: Asked, after: (() => void)[], branchFrom?: { readonly parentId: string | null }): Accepted {
    const known = this.messages.find(({ id }) => id === asked.clientMessageId);
    if (known !== undefined) return { runId: known.runId ?? "", userMessageId: known.id, state: "running" };
    const { active } = this;
    if (asked.whenBusy === "steer" && active !== undefined) return this.#steer(active, asked, after);
    const waits = active !== undefined || this.queued.length > 0;
    const run = this.#newRun(asked.clientMessageId ?? uuidv7(), asked.model);
    const parentId = branchFrom === undefined ? this.conversation.headMessageId : branchFrom.parentId;
    const message = this.#said(asked, run.userMessageId, run.id, waits ? null : parentId);
    if (waits) this.#unplaced.add(message.id);
    else this.#head(message.id);
    // It takes the place of the one that it stops.
    if (asked.whenBusy === "interrupt")
      run.position = Math.min(run.position, ...this.queued.map((one) => one.position - 1));
    this.runs.push(run);
    after.push(() => {
      this.#custom("message.created", { message: copy(message) });
      if (branchFrom !== undefined && !waits) this.selected();
      if (!waits) return this.#turn(run);
      this.#custom("run.updated", { run: copy(run) });
      if (asked.whenBusy === "interrupt" && active !== undefined) this.finish(active, "stopped");
    });
    return { runId: run.id, userMessageId: message.id, state: waits ? "queued" : "running" };
  }

  /** Says something else in place of a message. */
  edit(messageId: string, asked: Asked, after: (() => void)[]): Accepted {
    return this.send(asked, after, { parentId: this.message(messageId).parentId });
  }

  /** Another answer to what a message answers, or a message asked. */
  again(messageId: string, model: string | undefined, after: (() => void)[]): Accepted {
    const target = this.message(messageId);
    const question = target.role === "user" ? target : this.message(target.parentId ?? "");
    const run = this.#newRun(question.id, model);
    this.runs.push(run);
    after.push(() => this.#turn(run));
    return { runId: run.id, userMessageId: question.id, state: "running" };
  }

  /** The newest branch that holds the message. */
  select(messageId: string): Conversation {
    if (this.active !== undefined) throw new ParleyError("BUSY");
    let head = this.message(messageId).id;
    for (let next = this.#lastChild(head); next !== undefined; next = this.#lastChild(head)) head = next.id;
    this.#head(head);
    return this.conversation;
  }

  #lastChild(id: string): Message | undefined {
    return this.messages.findLast(({ parentId }) => parentId === id);
  }

  selected(): void {
    const { id, headMessageId } = this.conversation;
    if (headMessageId !== null) this.#custom("branch.selected", { conversationId: id, headMessageId });
  }

  #steer(run: Run, asked: Asked, after: (() => void)[]): Accepted {
    const message = this.#said(asked, asked.clientMessageId ?? uuidv7(), run.id, null);
    this.#steers.push(message.id);
    after.push(() => this.#custom("message.created", { message: copy(message) }));
    return { runId: run.id, userMessageId: message.id, state: "steered" };
  }

  #said({ text, files }: Asked, id: string, runId: string, parentId: string | null): Message {
    const message: Message = {
      id,
      conversationId: this.conversation.id,
      parentId,
      role: "user",
      author: USER.id,
      parts: [{ type: "text", text }, ...files],
      status: "complete",
      createdAt: now(),
      runId,
    };
    this.messages.push(message);
    return message;
  }

  #newRun(userMessageId: string, model: string | undefined): Run {
    return {
      id: uuidv7(),
      conversationId: this.conversation.id,
      status: "queued",
      attempt: 1,
      model: model ?? this.conversation.model ?? "demo",
      userMessageId,
      assistantMessageId: uuidv7(),
      position: this.runs.length + 1,
      stopRequested: false,
      usage: { inputTokens: 0, outputTokens: 0 },
      error: null,
      createdAt: now(),
      startedAt: null,
      finishedAt: null,
    };
  }

  #turn(run: Run): void {
    const [first] = this.message(run.userMessageId).parts;
    this.onTurn?.(run, first?.type === "text" ? first.text : "");
  }

  stop(run: Run): void {
    if (run.status === "running" || run.status === "waiting") return this.finish(run, "stopped");
    Object.assign(run, { status: "stopped", finishedAt: now() });
    this.#custom("run.updated", { run: copy(run) });
  }

  decide(approvalId: string, decision: "approve" | "deny", args?: ToolArgs): Approval {
    const approval = this.approvals.find(({ id }) => id === approvalId);
    if (approval === undefined) throw new ParleyError("NOT_FOUND");
    const status = decision === "approve" ? "approved" : "denied";
    if (approval.status === status) return approval;
    if (approval.status !== "pending") throw new ParleyError("ALREADY_DECIDED");
    this.#decided(approval, { status, decidedBy: USER.id, ...(args === undefined ? {} : { args }) });
    return approval;
  }

  // ── runs ────────────────────────────────────────────────────────────────────────────────────────────────────────

  begin(run: Run): Message {
    const question = this.message(run.userMessageId);
    if (this.#unplaced.delete(question.id)) {
      question.parentId = this.conversation.headMessageId;
      this.#head(question.id);
      this.#custom("message.updated", { message: copy(question) });
    }
    Object.assign(run, { status: "running", startedAt: now() });
    const other = this.conversation.headMessageId !== question.id;
    const answer = this.#emptyAnswer(run);
    this.#emit({
      type: "RUN_STARTED",
      threadId: this.conversation.id,
      runId: run.id,
      run: copy(run),
      message: copy(answer),
    });
    if (other) this.selected();
    return answer;
  }

  #emptyAnswer(run: Run): Message {
    const answer: Message = {
      id: run.assistantMessageId,
      conversationId: this.conversation.id,
      parentId: run.userMessageId,
      role: "assistant",
      author: run.model,
      parts: [],
      status: "streaming",
      createdAt: now(),
      runId: run.id,
    };
    this.messages.push(answer);
    this.#head(answer.id);
    return answer;
  }

  /** Messages that steer join: the answer so far is complete, and a new one follows them. */
  join(run: Run): void {
    const before = this.answer(run);
    before.status = "complete";
    this.#custom("message.updated", { message: copy(before) });
    for (const id of this.#steers.splice(0)) {
      const message = this.message(id);
      message.parentId = this.conversation.headMessageId;
      this.#head(id);
      this.#custom("message.updated", { message: copy(message) });
      run.userMessageId = id;
    }
    run.assistantMessageId = uuidv7();
    const message = this.#emptyAnswer(run);
    this.#custom("message.created", { message: copy(message) });
    this.#custom("run.updated", { run: copy(run) });
  }

  finish(run: Run, status: "completed" | "stopped" | "failed", error?: string, usage?: Usage): void {
    const answer = this.answer(run);
    const reason = error === undefined ? null : { code: "MODEL_FAILED", message: error };
    const finishedAt = now();
    Object.assign(run, { status, finishedAt, error: reason, usage: usage ?? run.usage });
    for (const approval of this.approvals) {
      if (approval.runId === run.id && approval.status === "pending") this.#decided(approval, { status: "cancelled" });
    }
    const open = answer.parts.map((part) =>
      part.type === "tool" && !["completed", "failed", "denied"].includes(part.status)
        ? { ...part, status: "stopped" as const, finishedAt }
        : part,
    );
    Object.assign(answer, { parts: open, status: ENDED[status], usage: run.usage });
    if (reason !== null) answer.error = reason;
    const partIndex = answer.parts.findLastIndex(({ type }) => type === "text");
    const text = answer.parts[partIndex];
    if (text?.type === "text") {
      const place = { messageId: answer.id, partIndex, length: text.text.length };
      this.#emit({ type: "TEXT_MESSAGE_END", ...place, status: answer.status });
    }
    const ends = { threadId: this.conversation.id, runId: run.id, run: copy(run) };
    if (status === "failed") {
      this.#emit({ type: "RUN_ERROR", ...ends, message: error ?? "", code: "MODEL_FAILED" });
    } else {
      const outcome = { type: status === "completed" ? "success" : "cancelled" } as const;
      this.#emit({ type: "RUN_FINISHED", ...ends, outcome, usage: [] });
    }
    const [next] = this.queued;
    if (next !== undefined) this.#turn(next);
  }

  // ── what an answer says and does ────────────────────────────────────────────────────────────────────────────────

  say(run: Run, delta: string, repeat?: number): void {
    this.#grow(run, "text", delta, repeat);
  }

  reason(run: Run, delta: string, repeat?: number): void {
    this.#grow(run, "reasoning", delta, repeat);
  }

  #grow(run: Run, type: "text" | "reasoning", delta: string, repeat?: number): void {
    const answer = this.answer(run);
    const last = answer.parts.at(-1);
    const place = { messageId: answer.id, partIndex: answer.parts.length - 1 };
    if (last?.type === type) {
      this.#set(run, place.partIndex, { ...last, text: last.text + delta });
    } else {
      place.partIndex++;
      this.#set(run, place.partIndex, { type, text: delta });
      if (type === "text") this.#emit({ type: "TEXT_MESSAGE_START", role: "assistant", runId: run.id, ...place });
      else this.#emit({ type: "REASONING_MESSAGE_START", role: "reasoning", runId: run.id, ...place });
    }
    const offset = last?.type === type ? last.text.length : 0;
    if (type === "text") this.#emit({ type: "TEXT_MESSAGE_CONTENT", ...place, offset, delta }, repeat);
    else this.#emit({ type: "REASONING_MESSAGE_CONTENT", ...place, offset, delta }, repeat);
  }

  #set(run: Run, index: number, part: Part): void {
    const answer = this.answer(run);
    answer.parts = [...answer.parts.slice(0, index), part, ...answer.parts.slice(index + 1)];
  }

  /** Cuts the answer back to `length` of its part `partIndex`, for another try. */
  reset(run: Run, length: number, partIndex = 0): void {
    const answer = this.answer(run);
    const part = answer.parts[partIndex];
    const cut = part?.type === "text" && length > 0 ? [{ ...part, text: part.text.slice(0, length) }] : [];
    answer.parts = [...answer.parts.slice(0, partIndex), ...cut];
    const attempt = ++run.attempt;
    this.#custom("message.reset", { messageId: answer.id, partIndex, length, attempt, runId: run.id });
  }

  /** The model writes a call; its id. `whole`: all of its arguments, at once. */
  call(run: Run, name: string, args: ToolArgs, whole = true): string {
    const answer = this.answer(run);
    const toolCallId = uuidv7();
    const place = { messageId: answer.id, partIndex: answer.parts.length, toolCallId };
    this.#set(run, place.partIndex, { type: "tool", toolCallId, name, args: {}, argsText: "", status: "streaming" });
    this.#emit({
      type: "TOOL_CALL_START",
      toolCallName: name,
      parentMessageId: answer.id,
      runId: run.id,
      ...place,
    });
    const delta = whole ? JSON.stringify(args) : JSON.stringify(args).slice(0, 12);
    this.#emit({ type: "TOOL_CALL_ARGS", ...place, offset: 0, delta });
    this.#set(run, place.partIndex, { type: "tool", toolCallId, name, args: {}, argsText: delta, status: "streaming" });
    if (!whole) return toolCallId;
    this.#emit({ type: "TOOL_CALL_END", ...place, length: delta.length });
    this.tool(run, toolCallId, { args, status: "pending" });
    return toolCallId;
  }

  /** What becomes of a call. A status that ends it stamps it, and tells its result. */
  tool(run: Run, toolCallId: string, changes: Partial<ToolPart>): void {
    const { argsText: _, progress: __, ...before } = this.#call(run, toolCallId);
    const ends = changes.status !== undefined && ["completed", "failed", "denied"].includes(changes.status);
    const part: ToolPart = {
      ...before,
      ...(changes.status === "running" ? { startedAt: now() } : {}),
      ...(ends ? { startedAt: before.startedAt ?? now(), finishedAt: now() } : {}),
      ...changes,
    };
    const place = { messageId: run.assistantMessageId, partIndex: this.#indexOf(run, toolCallId) };
    this.#set(run, place.partIndex, part);
    if (!ends) return this.#custom("tool.updated", { ...place, part: copy(part) });
    const content = part.error ?? JSON.stringify(part.result ?? null);
    this.#emit({ type: "TOOL_CALL_RESULT", role: "tool", toolCallId, ...place, content, part: copy(part) });
  }

  #indexOf(run: Run, toolCallId: string): number {
    return this.answer(run).parts.findIndex((part) => part.type === "tool" && part.toolCallId === toolCallId);
  }

  #call(run: Run, toolCallId: string): ToolPart {
    const part = this.answer(run).parts[this.#indexOf(run, toolCallId)];
    if (part?.type !== "tool") throw new Error("no such call");
    return part;
  }

  progress(run: Run, toolCallId: string, message: string, fraction?: number): void {
    const partIndex = this.#indexOf(run, toolCallId);
    const word = { message, ...(fraction === undefined ? {} : { fraction }) };
    this.#set(run, partIndex, { ...this.#call(run, toolCallId), progress: word });
    this.#custom("tool.progress", { messageId: run.assistantMessageId, partIndex, toolCallId, ...word });
  }

  /** A call waits for a person. */
  ask(run: Run, toolCallId: string, fields: Partial<Approval> = {}): Approval {
    const { name, args } = this.#call(run, toolCallId);
    const approval: Approval = {
      id: uuidv7(),
      conversationId: this.conversation.id,
      runId: run.id,
      messageId: run.assistantMessageId,
      partIndex: this.#indexOf(run, toolCallId),
      toolCallId,
      tool: name,
      args: copy(args),
      reason: "call",
      summary: `Use ${name}.`,
      status: "pending",
      requestedAt: now(),
      expiresAt: new Date(Date.now() + 600_000).toISOString(),
      decidedAt: null,
      decidedBy: null,
      ...fields,
    };
    this.approvals.push(approval);
    this.tool(run, toolCallId, { status: "waiting", approvalId: approval.id });
    this.#custom("approval.requested", { approval: copy(approval) });
    run.status = "waiting";
    this.#custom("run.updated", { run: copy(run) });
    return approval;
  }

  /** Nobody decided in time. */
  expire(approval: Approval): void {
    this.#decided(approval, { status: "expired" });
  }

  #decided(approval: Approval, changes: Partial<Approval>): void {
    Object.assign(approval, { decidedAt: now() }, changes);
    const run = this.runs.find(({ id }) => id === approval.runId);
    this.#custom("approval.decided", { approval: copy(approval) });
    if (run === undefined || approval.status === "cancelled") return;
    const approved = approval.status === "approved";
    run.status = "running";
    this.#custom("run.updated", { run: copy(run) });
    this.tool(
      run,
      approval.toolCallId,
      approved
        ? { status: "running", args: approval.args }
        : { status: "denied", error: "The person denied this call." },
    );
  }

  plan(run: Run, plan: readonly PlanTask[]): void {
    const answer = this.answer(run);
    answer.plan = [...plan];
    this.#custom("plan.updated", { messageId: answer.id, runId: run.id, plan: [...plan] });
  }

  notice(run: Run, message: string): void {
    this.#custom("run.notice", { runId: run.id, kind: "retrying", message });
  }

  #custom<Name extends CustomEvent["name"]>(
    name: Name,
    value: Extract<CustomEvent, { readonly name: Name }>["value"],
  ): void {
    this.#emit({ type: "CUSTOM", name, value } as CustomEvent);
  }
}

type CustomEvent = Extract<ParleyEvent, { readonly type: "CUSTOM" }>;
