/**
 * A conversation as a server runs it, for tests of what its readers make of it: commands in, events out, and after each
 * event what its log and its store hold.
 *
 * As on the server, growing parts are in the log alone until a step is journaled: then the row has them. What a commit
 * changes stands in the rows before the first event that announces it.
 */
import fc from "fast-check";
import { overlay } from "../../src/gateway/snapshot.ts";
import type { Accumulator, PartKind } from "../../src/ports/event-log.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import type {
  Approval,
  Conversation,
  ConversationSnapshot,
  Message,
  MessageStatus,
  Part,
  Run,
  Step,
  ToolPart,
} from "../../src/protocol/shapes.ts";
import { aMessage, aRun } from "./shapes.fake.ts";

export type Command =
  | { readonly type: "send"; readonly steer: boolean }
  /** A part of the answer begins. Only calls grow side by side. */
  | { readonly type: "part"; readonly kind: PartKind["type"] }
  /** For this share of the parts that grow. */
  | { readonly type: "delta"; readonly part: number; readonly text: string }
  /** The model's call has ended: its parts are journaled. */
  | { readonly type: "journal" }
  /** This share of the calls goes on to what comes next, one way or the other. */
  | { readonly type: "tool"; readonly call: number; readonly way: boolean }
  | { readonly type: "progress"; readonly call: number }
  | { readonly type: "plan" }
  | { readonly type: "notice" }
  /** Another process goes on: what was not journaled goes, or this share of the first growing text stays. */
  | { readonly type: "takeover"; readonly keep: number }
  /** Messages join the run. */
  | { readonly type: "join" }
  | { readonly type: "finish"; readonly status: "completed" | "stopped" | "failed" }
  /** On another branch, beside this share of the answers or of the messages of people. */
  | { readonly type: "regenerate" | "edit" | "select"; readonly which: number }
  | { readonly type: "rename"; readonly title: string };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const only = <const Type extends Command["type"]>(type: Type) => fc.constant(type);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: only("send"), steer: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ type: only("part"), kind: fc.constantFrom("text", "reasoning", "tool") }) },
  {
    weight: 14,
    arbitrary: fc.record({
      type: only("delta"),
      part: share,
      text: fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: only("journal") }) },
  { weight: 5, arbitrary: fc.record({ type: only("tool"), call: share, way: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: only("progress"), call: share }) },
  { weight: 1, arbitrary: fc.constantFrom({ type: "plan" } as const, { type: "notice" } as const) },
  { weight: 1, arbitrary: fc.record({ type: only("takeover"), keep: share }) },
  { weight: 2, arbitrary: fc.record({ type: only("join") }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: only("finish"), status: fc.constantFrom("completed", "stopped", "failed") }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom("regenerate", "edit", "select"), which: share }),
  },
  { weight: 1, arbitrary: fc.record({ type: only("rename"), title: fc.string({ maxLength: 5 }) }) },
);
export const commands = (maxLength = 60): fc.Arbitrary<Command[]> => fc.array(command, { minLength: 1, maxLength });

/** After each event, what the server's log and its store would answer; index 0 is before the first. */
export interface Script {
  readonly events: readonly ParleyEvent[];
  readonly logs: readonly (readonly Accumulator[])[];
  readonly rows: readonly ConversationSnapshot[];
}

export const CONVERSATION_ID = "c1";

const ENDED: Readonly<Record<"completed" | "stopped" | "failed", Exclude<MessageStatus, "streaming">>> = {
  completed: "complete",
  stopped: "stopped",
  failed: "failed",
};

const isOpen = (part: Part): part is ToolPart =>
  part.type === "tool" && ["pending", "waiting", "running"].includes(part.status);

const pick = <T>(items: readonly T[], share: number): T | undefined =>
  items[Math.min(items.length - 1, Math.floor(share * items.length))];

const at = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();

class Server {
  readonly events: ParleyEvent[] = [];
  readonly logs: (readonly Accumulator[])[] = [];
  readonly rows: ConversationSnapshot[] = [];
  #conversation: Conversation = {
    id: CONVERSATION_ID,
    title: "",
    model: null,
    headMessageId: null,
    createdAt: at(0),
    updatedAt: at(0),
  };
  #messages: Message[] = [];
  /** Reading order: 1024 a run, then one by one. */
  readonly #seqs = new Map<string, number>();
  #active: Run | undefined;
  #queue: Run[] = [];
  #steers: string[] = [];
  /** Questions that get their parent when their run is claimed. */
  readonly #unplaced = new Set<string>();
  #approvals: Approval[] = [];
  #accumulators: Accumulator[] = [];
  /** Parts that are not journaled yet. */
  #growing: { part: PartKind; text: string }[] = [];
  #stepIndex = 0;
  #count = 0;
  #position = 0;

  constructor() {
    this.#note();
  }

  run(step: Command): void {
    switch (step.type) {
      case "send":
        return this.#send(step.steer);
      case "part":
        return this.#begin(step.kind);
      case "delta":
        return this.#delta(step.part, step.text);
      case "journal":
        return this.#journal();
      case "tool":
        return this.#tool(step.call, step.way);
      case "progress":
        return this.#progress(step.call);
      case "plan":
        return this.#plan();
      case "notice":
        return this.#notice();
      case "takeover":
        return this.#takeOver(step.keep);
      case "join":
        return this.#join();
      case "finish":
        return this.#finish(step.status);
      case "regenerate":
        return this.#regenerate(step.which);
      case "edit":
        return this.#edit(step.which);
      case "select":
        return this.#select(step.which);
      case "rename":
        this.#conversation = { ...this.#conversation, title: step.title, updatedAt: at(++this.#count) };
        return this.#emit({
          type: "CUSTOM",
          name: "conversation.renamed",
          value: { conversation: this.#conversation },
        });
    }
  }

  // ── messages and runs ─────────────────────────────────────────────────────────────────────────────────────────

  #send(steer: boolean): void {
    if (steer && this.#active !== undefined) return this.#steer(this.#active);
    const waits = this.#active !== undefined;
    const run = this.#newRun(`user-${++this.#count}`);
    const message = this.#said(run, waits ? null : this.#conversation.headMessageId);
    if (waits) this.#unplaced.add(message.id);
    else this.#head(message.id);
    this.#ask(run, [{ type: "CUSTOM", name: "message.created", value: { message } }], waits);
    if (waits) return;
    this.#claim(run);
  }

  #newRun(userMessageId: string): Run {
    const n = ++this.#count;
    return aRun({
      id: `run-${n}`,
      conversationId: CONVERSATION_ID,
      status: "queued",
      userMessageId,
      assistantMessageId: `answer-${n}`,
      position: ++this.#position,
      createdAt: at(n),
      startedAt: null,
    });
  }

  #said(run: Run, parentId: string | null): Message {
    const n = ++this.#count;
    const message = aMessage({
      id: run.userMessageId,
      conversationId: CONVERSATION_ID,
      parentId,
      role: "user",
      author: "u1",
      parts: [{ type: "text", text: `question ${n}` }],
      createdAt: at(n),
      runId: run.id,
    });
    this.#add(message, 1024 * run.position);
    return message;
  }

  #add(message: Message, seq: number): void {
    this.#seqs.set(message.id, seq);
    const seqOf = ({ id }: Message): number => this.#seqs.get(id) ?? 0;
    this.#messages = [...this.#messages, message].toSorted((a, b) => seqOf(a) - seqOf(b));
  }

  #ask(run: Run, events: readonly ParleyEvent[], waits: boolean): void {
    if (!waits) return this.#emit(...events);
    this.#queue.push(run);
    this.#emit(...events, { type: "CUSTOM", name: "run.updated", value: { run } });
  }

  #steer(run: Run): void {
    const n = ++this.#count;
    const message = aMessage({
      id: `steer-${n}`,
      conversationId: CONVERSATION_ID,
      role: "user",
      author: "u1",
      parts: [{ type: "text", text: `wait ${n}` }],
      createdAt: at(n),
      runId: run.id,
    });
    this.#steers.push(message.id);
    this.#add(message, this.#lastSeq(run) + 1);
    this.#emit({ type: "CUSTOM", name: "message.created", value: { message } });
  }

  #lastSeq({ position }: Run): number {
    const seqs = [...this.#seqs.values()].filter((seq) => Math.floor(seq / 1024) === position);
    return Math.max(1024 * position + 1, ...seqs);
  }

  #find(id: string | undefined): Message | undefined {
    return this.#messages.find((message) => message.id === id);
  }

  #put(message: Message): void {
    this.#messages = this.#messages.map((other) => (other.id === message.id ? message : other));
  }

  #head(headMessageId: string): void {
    this.#conversation = { ...this.#conversation, headMessageId };
  }

  #claim(queued: Run): void {
    const run: Run = { ...queued, status: "running", startedAt: at(this.#count) };
    const answer = this.#emptyAnswer(run.assistantMessageId, run.userMessageId, run.id);
    const question = this.#find(run.userMessageId);
    const { headMessageId } = this.#conversation;
    const events: ParleyEvent[] = [];
    if (question !== undefined && this.#unplaced.delete(question.id)) {
      const message = { ...question, parentId: headMessageId };
      this.#put(message);
      this.#head(question.id);
      events.push({ type: "CUSTOM", name: "message.updated", value: { message } });
    }
    events.push({ type: "RUN_STARTED", threadId: CONVERSATION_ID, runId: run.id, run, message: answer });
    if (this.#conversation.headMessageId !== run.userMessageId) events.push(this.#selected(answer.id));
    this.#active = run;
    this.#stepIndex = 0;
    this.#add(answer, 1024 * run.position + 1);
    this.#head(answer.id);
    this.#emit(...events);
  }

  #children(id: string): Message[] {
    return this.#messages.filter(({ parentId }) => parentId === id);
  }

  #selected(headMessageId: string): ParleyEvent {
    return { type: "CUSTOM", name: "branch.selected", value: { conversationId: CONVERSATION_ID, headMessageId } };
  }

  #emptyAnswer(id: string, parentId: string, runId: string): Message {
    return {
      id,
      conversationId: CONVERSATION_ID,
      parentId,
      role: "assistant",
      author: "demo",
      parts: [],
      status: "streaming",
      createdAt: at(++this.#count),
      runId,
    };
  }

  #answer(): Message | undefined {
    return this.#find(this.#active?.assistantMessageId);
  }

  // ── the model ─────────────────────────────────────────────────────────────────────────────────────────────────

  #begin(type: PartKind["type"]): void {
    const [run, answer] = [this.#active, this.#answer()];
    if (run === undefined || answer === undefined) return;
    const partIndex = answer.parts.length + this.#growing.length;
    const place = { messageId: answer.id, runId: run.id, partIndex };
    if (type === "tool") {
      const toolCallId = `call-${++this.#count}`;
      this.#growing.push({ part: { type, toolCallId, name: "clock" }, text: "" });
      return this.#emit({
        type: "TOOL_CALL_START",
        toolCallId,
        toolCallName: "clock",
        parentMessageId: answer.id,
        ...place,
      });
    }
    this.#growing.push({ part: { type }, text: "" });
    if (type === "text") this.#emit({ type: "TEXT_MESSAGE_START", role: "assistant", ...place });
    else this.#emit({ type: "REASONING_MESSAGE_START", role: "reasoning", ...place });
  }

  #delta(which: number, delta: string): void {
    if (this.#growing.length === 0) this.#begin("text");
    const grows = this.#growing.filter(({ part }, i) => part.type === "tool" || i === this.#growing.length - 1);
    const [answer, growing] = [this.#answer(), pick(grows, which)];
    if (answer === undefined || growing === undefined) return;
    const { part, text } = growing;
    const partIndex = answer.parts.length + this.#growing.indexOf(growing);
    const place = { messageId: answer.id, partIndex, offset: text.length, delta };
    growing.text += delta;
    switch (part.type) {
      case "text":
        return this.#emit({ type: "TEXT_MESSAGE_CONTENT", ...place });
      case "reasoning":
        return this.#emit({ type: "REASONING_MESSAGE_CONTENT", ...place });
      case "tool":
        return this.#emit({ type: "TOOL_CALL_ARGS", toolCallId: part.toolCallId, ...place });
    }
  }

  #journal(): void {
    const [run, answer] = [this.#active, this.#answer()];
    if (run === undefined || answer === undefined || this.#growing.length === 0) return;
    for (const [i, { part, text }] of this.#growing.entries()) {
      const place = { messageId: answer.id, partIndex: answer.parts.length + i, length: text.length };
      if (part.type === "tool") this.#emit({ type: "TOOL_CALL_END", toolCallId: part.toolCallId, ...place });
      else if (part.type === "reasoning") this.#emit({ type: "REASONING_MESSAGE_END", ...place });
      else this.#emit({ type: "TEXT_MESSAGE_END", ...place, status: "streaming" });
    }
    const from = answer.parts.length;
    const said = this.#growing.map(({ part, text }): Part =>
      part.type === "tool" ? { ...part, args: { text }, status: "pending" } : { type: part.type, text },
    );
    this.#growing = [];
    this.#put({ ...answer, parts: [...answer.parts, ...said] });
    this.#active = { ...run, attempt: 1 };
    const step = this.#step(run, "model", "completed");
    this.#emit(
      ...step,
      ...said.flatMap((part, i): ParleyEvent[] => (part.type === "tool" ? [toolEvent(answer.id, from + i, part)] : [])),
    );
  }

  #step(run: Run, kind: Step["kind"], status: "completed" | "failed"): ParleyEvent[] {
    const step: Step = {
      id: `step-${++this.#count}`,
      runId: run.id,
      index: this.#stepIndex++,
      kind,
      name: "demo",
      attempt: 1,
      status,
      usage: { inputTokens: 1, outputTokens: 1 },
      startedAt: at(this.#count),
      finishedAt: at(this.#count),
    };
    const about = { stepName: "demo", runId: run.id };
    return [
      { type: "STEP_STARTED", ...about, step: { ...step, status: "running", finishedAt: null } },
      { type: "STEP_FINISHED", ...about, step },
    ];
  }

  #takeOver(keep: number): void {
    const [run, answer, first] = [this.#active, this.#answer(), this.#growing[0]];
    if (run === undefined || answer === undefined) return;
    const length = first === undefined ? 0 : Math.floor(keep * first.text.length);
    this.#active = { ...run, attempt: run.attempt + 1 };
    this.#growing =
      first === undefined || length === 0 ? [] : [{ part: first.part, text: first.text.slice(0, length) }];
    const { attempt } = this.#active;
    const value = { messageId: answer.id, partIndex: answer.parts.length, length, attempt, runId: run.id };
    this.#emit({ type: "CUSTOM", name: "message.reset", value });
  }

  #notice(): void {
    if (this.#active === undefined) return;
    const value = { runId: this.#active.id, kind: "retrying" as const, message: "busy" };
    this.#emit({ type: "CUSTOM", name: "run.notice", value });
  }

  // ── tools ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #tool(which: number, way: boolean): void {
    const [run, answer] = [this.#active, this.#answer()];
    const part = pick(answer?.parts.filter(isOpen) ?? [], which);
    if (run === undefined || answer === undefined || part === undefined) return;
    const index = answer.parts.indexOf(part);
    if (part.status === "pending") {
      return way ? this.#putTool({ ...part, status: "running" }, index) : this.#requestApproval(part, index);
    }
    if (part.status === "waiting") {
      return this.#putTool({ ...part, status: way ? "running" : "denied" }, index, way ? "approved" : "denied");
    }
    const { result: _result, error: _error, ...running } = part;
    return this.#putTool(
      way
        ? { ...running, status: "completed", result: { n: ++this.#count } }
        : { ...running, status: "failed", error: "no" },
      index,
    );
  }

  #requestApproval(part: ToolPart, partIndex: number): void {
    const [run, answer] = [this.#active, this.#answer()];
    if (run === undefined || answer === undefined) return;
    const approval: Approval = {
      id: `approval-${++this.#count}`,
      conversationId: CONVERSATION_ID,
      runId: run.id,
      messageId: answer.id,
      partIndex,
      toolCallId: part.toolCallId,
      tool: part.name,
      args: part.args,
      reason: "call",
      summary: "It tells the time.",
      status: "pending",
      requestedAt: at(this.#count),
      expiresAt: at(this.#count + 1000),
      decidedAt: null,
      decidedBy: null,
    };
    this.#approvals.push(approval);
    this.#putTool({ ...part, status: "waiting", approvalId: approval.id }, partIndex);
    const waiting: Run = { ...run, status: "waiting" };
    this.#active = waiting;
    this.#emit(
      { type: "CUSTOM", name: "approval.requested", value: { approval } },
      { type: "CUSTOM", name: "run.updated", value: { run: waiting } },
    );
  }

  #decided(approvalId: string, status: Approval["status"]): ParleyEvent[] {
    const approval = this.#approvals.find(({ id }) => id === approvalId);
    if (approval === undefined) return [];
    this.#approvals = this.#approvals.filter((other) => other !== approval);
    const value = { approval: { ...approval, status, decidedAt: at(++this.#count) } };
    return [{ type: "CUSTOM", name: "approval.decided", value }];
  }

  #putTool(part: ToolPart, index: number, decision?: "approved" | "denied"): void {
    const [run, answer] = [this.#active, this.#answer()];
    if (run === undefined || answer === undefined) return;
    this.#put({ ...answer, parts: answer.parts.with(index, part) });
    const events = decision === undefined ? [] : this.#decided(part.approvalId ?? "", decision);
    if (decision !== undefined) {
      this.#active = { ...run, status: "running" };
      events.push({ type: "CUSTOM", name: "run.updated", value: { run: this.#active } });
    }
    const ended = part.status === "completed" || part.status === "failed";
    const step = ended ? this.#step(run, "tool", part.status === "completed" ? "completed" : "failed") : [];
    this.#emit(...events, ...step, toolEvent(answer.id, index, part));
  }

  #progress(which: number): void {
    const answer = this.#answer();
    const running = answer?.parts.filter((part) => part.type === "tool" && part.status === "running") ?? [];
    const part = pick(running, which);
    if (answer === undefined || part?.type !== "tool") return;
    const partIndex = answer.parts.indexOf(part);
    const value = { messageId: answer.id, partIndex, toolCallId: part.toolCallId, message: `${++this.#count}` };
    this.#emit({ type: "CUSTOM", name: "tool.progress", value });
  }

  #plan(): void {
    const answer = this.#answer();
    if (answer === undefined || answer.runId === null) return;
    const plan = [{ id: "1", title: `task ${++this.#count}`, status: "pending" as const }];
    this.#put({ ...answer, plan });
    this.#emit({
      type: "CUSTOM",
      name: "plan.updated",
      value: { messageId: answer.id, runId: answer.runId, plan },
    });
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────

  #join(): void {
    const [before, steers] = [this.#active, this.#steers];
    if (before === undefined || steers.length === 0 || before.status !== "running") return;
    this.#journal();
    const [run, answer] = [this.#active, this.#answer()];
    if (run === undefined || answer === undefined || answer.parts.some(isOpen)) return;
    this.#steers = [];
    const moves = answer.parts.length === 0;
    const chained = this.#chain(steers, moves ? run.userMessageId : answer.id);
    const last = chained.at(-1)?.id ?? "";
    const events: ParleyEvent[] = [];
    const usage = { inputTokens: ++this.#count, outputTokens: 0 };
    if (moves) {
      const moved = { ...answer, parentId: last };
      this.#put(moved);
      this.#seqs.delete(answer.id);
      this.#messages = this.#messages.filter(({ id }) => id !== answer.id);
      this.#active = { ...run, userMessageId: last };
      this.#add(moved, this.#lastSeq(run) + 1);
      events.push(...chained.map(updated), updated(moved));
    } else {
      const ended: Message = { ...answer, status: "complete", usage };
      this.#put(ended);
      const next = this.#emptyAnswer(`answer-${++this.#count}`, last, run.id);
      this.#active = { ...run, userMessageId: last, assistantMessageId: next.id, usage };
      this.#add(next, this.#lastSeq(run) + 1);
      this.#head(next.id);
      const ends = textEnds(ended, "complete");
      events.push(...ends, updated(ended), ...chained.map(updated));
      events.push({ type: "CUSTOM", name: "message.created", value: { message: next } });
    }
    const value = { run: this.#active };
    this.#emit(...events, { type: "CUSTOM", name: "run.updated", value });
  }

  #chain(ids: readonly string[], first: string): Message[] {
    return ids.flatMap((id, i) => {
      const message = this.#find(id);
      if (message === undefined) return [];
      const chained = { ...message, parentId: i === 0 ? first : (ids[i - 1] ?? first) };
      this.#put(chained);
      return [chained];
    });
  }

  #finish(wish: "completed" | "stopped" | "failed"): void {
    if (this.#steers.length > 0 && wish === "completed") this.#join();
    this.#journal();
    const [before, answer] = [this.#active, this.#answer()];
    if (before === undefined || answer === undefined) return;
    if (wish === "completed" && (this.#steers.length > 0 || answer.parts.some(isOpen))) return;
    const total = { inputTokens: ++this.#count + 1000, outputTokens: 1 };
    const error = wish === "failed" ? { code: "MODEL_FAILED", message: "broken" } : null;
    const run: Run = { ...before, status: wish, error, usage: total, finishedAt: at(++this.#count) };
    const parts = answer.parts.map((part): Part => (isOpen(part) ? { ...part, status: "stopped" } : part));
    const own = { inputTokens: total.inputTokens - before.usage.inputTokens, outputTokens: 1 };
    const ended: Message = { ...answer, parts, status: ENDED[wish], usage: own, ...(error === null ? {} : { error }) };
    this.#put(ended);
    const cancelled = this.#approvals.flatMap(({ id }) => this.#decided(id, "cancelled"));
    this.#active = undefined;
    const ids = { threadId: CONVERSATION_ID, runId: run.id };
    const type = wish === "completed" ? "success" : "cancelled";
    const last: ParleyEvent =
      wish === "failed"
        ? { type: "RUN_ERROR", ...ids, message: "broken", code: "MODEL_FAILED", run }
        : { type: "RUN_FINISHED", ...ids, outcome: { type }, usage: [], run };
    const promoted = this.#promote(ended);
    this.#emit(
      ...parts.flatMap((part, i) =>
        answer.parts[i] === part || part.type !== "tool" ? [] : [toolEvent(answer.id, i, part)],
      ),
      ...cancelled,
      ...textEnds(ended, ENDED[wish]),
      last,
      ...promoted,
    );
    const next = this.#queue.shift();
    if (next !== undefined) this.#claim(next);
  }

  /** Messages that came too late become a run of their own, at the front. */
  #promote(answer: Message): ParleyEvent[] {
    const steers = this.#steers;
    if (steers.length === 0) return [];
    this.#steers = [];
    const run = { ...this.#newRun(steers.at(-1) ?? ""), position: ++this.#position };
    const chained = this.#chain(steers, answer.id).map((message) => ({ ...message, runId: run.id }));
    for (const message of chained) this.#put(message);
    this.#head(run.userMessageId);
    this.#queue = this.#queue.map((other) => ({ ...other, position: ++this.#position }));
    this.#queue.unshift(run);
    return [
      ...chained.map(updated),
      ...this.#queue.map((queued): ParleyEvent => ({ type: "CUSTOM", name: "run.updated", value: { run: queued } })),
    ];
  }

  // ── branches ──────────────────────────────────────────────────────────────────────────────────────────────────

  #regenerate(which: number): void {
    const answers = this.#messages.filter(({ role, status }) => role === "assistant" && status !== "streaming");
    const answer = pick(answers, which);
    if (answer?.parentId === null || answer?.parentId === undefined) return;
    this.#again(this.#newRun(answer.parentId));
  }

  #again(run: Run): void {
    if (this.#active === undefined) return this.#claim(run);
    this.#queue.push(run);
    this.#emit({ type: "CUSTOM", name: "run.updated", value: { run } });
  }

  #edit(which: number): void {
    const placed = this.#messages.filter(({ id, role }) => role === "user" && this.#children(id).length > 0);
    const edited = pick(placed, which);
    if (edited === undefined || this.#active !== undefined) return;
    const run = this.#newRun(`user-${++this.#count}`);
    const message = this.#said(run, edited.parentId);
    this.#head(message.id);
    this.#emit({ type: "CUSTOM", name: "message.created", value: { message } }, this.#selected(message.id));
    this.#claim(run);
  }

  #select(which: number): void {
    if (this.#active !== undefined) return;
    let message = pick(this.#messages, which);
    for (let next = message; next !== undefined; next = this.#children(next.id).at(-1)) message = next;
    if (message === undefined) return;
    this.#head(message.id);
    this.#emit(this.#selected(message.id));
  }

  // ── what is kept ──────────────────────────────────────────────────────────────────────────────────────────────

  #emit(...events: readonly ParleyEvent[]): void {
    for (const event of events) {
      this.#accumulate(event);
      this.events.push(event);
      this.#note();
    }
  }

  /** As the log does it in the step that stores the event. */
  #accumulate(event: ParleyEvent): void {
    if (event.type === "RUN_FINISHED" || event.type === "RUN_ERROR") {
      this.#accumulators = this.#accumulators.filter(({ messageId }) => messageId !== event.run.assistantMessageId);
      return;
    }
    const answer = this.#answer();
    if (answer === undefined) return;
    const grows = /^(TEXT_MESSAGE|REASONING_MESSAGE|TOOL_CALL)_(START|CONTENT|ARGS)$/.test(event.type);
    const resets = event.type === "CUSTOM" && event.name === "message.reset";
    if (!grows && !resets) return;
    const before = this.#accumulators.filter(
      ({ messageId, partIndex }) => messageId !== answer.id || partIndex < answer.parts.length,
    );
    const growing = this.#growing.map(({ part, text }, i): Accumulator => ({
      messageId: answer.id,
      partIndex: answer.parts.length + i,
      part,
      text,
    }));
    this.#accumulators = [...before, ...growing];
  }

  #note(): void {
    this.logs.push(this.#accumulators);
    this.rows.push({
      conversation: this.#conversation,
      messages: [...this.#messages],
      hasMore: false,
      ...(this.#active === undefined ? {} : { activeRun: this.#active }),
      queuedRuns: [...this.#queue],
      approvals: [...this.#approvals],
    });
  }
}

const updated = (message: Message): ParleyEvent => ({ type: "CUSTOM", name: "message.updated", value: { message } });

const textEnds = ({ id: messageId, parts }: Message, status: MessageStatus): ParleyEvent[] =>
  parts.flatMap((part, partIndex): ParleyEvent[] =>
    part.type === "text"
      ? [{ type: "TEXT_MESSAGE_END", messageId, partIndex, length: part.text.length, status }]
      : part.type === "reasoning"
        ? [{ type: "REASONING_MESSAGE_END", messageId, partIndex, length: part.text.length }]
        : [],
  );

function toolEvent(messageId: string, partIndex: number, part: ToolPart): ParleyEvent {
  if (isOpen(part)) return { type: "CUSTOM", name: "tool.updated", value: { messageId, partIndex, part } };
  const { toolCallId } = part;
  return { type: "TOOL_CALL_RESULT", messageId, toolCallId, role: "tool", content: "{}", partIndex, part };
}

export function script(steps: readonly Command[]): Script {
  const server = new Server();
  for (const step of steps) server.run(step);
  const { events, logs, rows } = server;
  return { events, logs, rows };
}

/** The snapshot that a server answers when its log stands at `seq` and its store, read later, at `later` [L11]. */
export function snapshotAt({ logs, rows }: Script, seq: number, later = seq): ConversationSnapshot {
  const log = logs[seq];
  const store = rows[later];
  if (log === undefined || store === undefined) throw new Error(`there is no event ${seq} or ${later}`);
  return { ...store, messages: [...overlay(store.messages, log)] };
}

/** What a part says: its text, or the arguments of a call as they come. */
export const wordsOf = (part: Part): string =>
  part.type === "text" || part.type === "reasoning"
    ? part.text
    : part.type === "tool"
      ? (part.argsText ?? "")
      : part.name;
