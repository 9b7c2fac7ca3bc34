/**
 * A run's state in its owner, and what of it the journal does not have yet.
 *
 *   answered, started, asked, settled ─▶ state + changes ─▶ write() ─▶ store ─▶ committed() ─▶ no changes
 *
 * Changes are made and committed by one run task, one at a time: results of parallel calls never overwrite each other.
 */
import type {
  ClaimedRun,
  Committed,
  JournalWrite,
  NewApproval,
  Steered,
  StoredApproval,
  StoredStep,
} from "../ports/store.ts";
import type { ToolOutcome } from "../ports/tool.ts";
import { uuidv7 } from "../protocol/id.ts";
import type { Message, Part, Run, ToolArgs, ToolPart, Usage } from "../protocol/shapes.ts";
import { openCalls } from "./tool-call.ts";

export type Ending = NonNullable<JournalWrite["end"]>;
type Accepted = Extract<Committed, { readonly ok: true }>;

const NOTHING: Usage = { inputTokens: 0, outputTokens: 0 };

export class RunJournal {
  run: Run;
  messageId: string;
  parts: Part[];
  steps: StoredStep[];
  usage: Usage;
  approvals: readonly Omit<StoredApproval, "requestedAt" | "expiresAt">[];
  steers: number;
  readonly allowedTools: readonly string[];
  /** What the model reads: the branch up to the question. */
  readonly transcript: Message[];
  readonly #changedSteps = new Map<string, StoredStep>();
  readonly #changedParts = new Set<number>();
  #asked: NewApproval[] = [];

  constructor({ run, message, steps, approvals, steers, allowedTools, transcript }: ClaimedRun) {
    this.run = run;
    this.messageId = message.id;
    this.parts = [...message.parts];
    this.steps = [...steps];
    this.usage = run.usage;
    this.approvals = approvals;
    this.steers = steers;
    this.allowedTools = allowedTools;
    this.transcript = [...transcript];
  }

  /** Is there anything that the store does not know? */
  get dirty(): boolean {
    return this.#changedSteps.size > 0 || this.#changedParts.size > 0 || this.#asked.length > 0;
  }

  get nextStep(): number {
    return (this.steps.at(-1)?.index ?? -1) + 1;
  }

  get callIds(): ReadonlySet<string> {
    return new Set(this.steps.flatMap(({ toolCallId }) => toolCallId ?? []).concat(this.parts.flatMap(callId)));
  }

  /** A call of the model has ended, one way or the other. */
  answered(step: StoredStep, parts: readonly Part[]): void {
    this.#step(step);
    for (const part of parts) {
      if (part.type === "tool") this.#changedParts.add(this.parts.length);
      this.parts.push(part);
    }
    this.usage = sum(this.usage, step.usage);
  }

  /** Journaled before it runs, with exactly these arguments [R5]. */
  started(call: ToolPart, args: ToolArgs, attempt: number): void {
    const startedAt = new Date().toISOString();
    const { toolCallId, name } = call;
    const before = this.steps.find((step) => step.toolCallId === toolCallId);
    this.#step({
      id: before?.id ?? uuidv7(),
      runId: this.run.id,
      index: before?.index ?? this.nextStep,
      kind: "tool",
      name,
      toolCallId,
      attempt,
      status: "running",
      usage: NOTHING,
      startedAt: before?.startedAt ?? startedAt,
      finishedAt: null,
    });
    this.#part(call, { args, status: "running", startedAt });
  }

  asked(call: ToolPart, question: Pick<NewApproval, "args" | "reason" | "summary" | "timeoutMs">): void {
    const { toolCallId, name } = call;
    const { id: runId, conversationId } = this.run;
    const partIndex = this.#indexOf(call);
    const id = uuidv7();
    const approval: NewApproval = { id, messageId: this.messageId, partIndex, toolCallId, tool: name, ...question };
    this.#asked.push(approval);
    const { timeoutMs: _, ...asked } = approval;
    const open = { status: "pending", decidedAt: null, decidedBy: null, decidedArgs: null } as const;
    this.approvals = [...this.approvals, { ...asked, runId, conversationId, ...open }];
    this.#part(call, { status: "waiting", approvalId: id });
  }

  /** A call has its answer, whether it ran or not. */
  settled(
    call: ToolPart,
    outcome: ToolOutcome | { readonly status: "denied" | "stopped"; readonly error: string },
  ): void {
    const finishedAt = new Date().toISOString();
    const step = this.steps.find(({ toolCallId }) => toolCallId === call.toolCallId);
    if (step !== undefined) this.#step({ ...step, status: stepStatus[outcome.status], finishedAt });
    this.#part(call, { ...outcome, finishedAt });
  }

  /** Goes with whatever is journaled next. Answers the part's index, -1 when it is not of this answer any more. */
  progress(call: ToolPart, progress: NonNullable<ToolPart["progress"]>): number {
    const index = this.#indexOf(call);
    const part = this.parts[index];
    if (part?.type === "tool") this.parts[index] = { ...part, progress };
    return index;
  }

  /** The run ends: nobody runs these calls any more. `changes`: does a tool of that name change anything? */
  stopOpenCalls(inFlight: ReadonlySet<string>, changes: (tool: string) => boolean): void {
    for (const call of openCalls(this.parts)) {
      const began = inFlight.has(call.toolCallId) || call.status === "running";
      const maybe = changes(call.name) ? " It may have taken effect." : "";
      const error = began ? `The run ended while it ran.${maybe}` : "The run ended before it ran.";
      this.settled(call, { status: "stopped", error });
    }
  }

  /** The new answer, if messages joined. */
  steered({ run, message, added }: Steered): void {
    this.run = run;
    this.messageId = message.id;
    this.parts = [...message.parts];
    this.transcript.push(...added);
    this.steers = 0;
  }

  write(more: Pick<JournalWrite, "end" | "wait"> = {}): JournalWrite {
    return {
      steps: [...this.#changedSteps.values()],
      parts: [...this.parts],
      usage: this.usage,
      changed: [...this.#changedParts],
      approvals: this.#asked,
      ...more,
    };
  }

  committed({ approvals, steers }: Accepted): void {
    this.#changedSteps.clear();
    this.#changedParts.clear();
    this.#asked = [];
    this.approvals = approvals;
    this.steers = steers;
  }

  #step(step: StoredStep): void {
    const index = this.steps.findIndex(({ id }) => id === step.id);
    if (index < 0) this.steps.push(step);
    else this.steps[index] = step;
    this.#changedSteps.set(step.id, step);
  }

  #part(call: ToolPart, change: Partial<ToolPart>): void {
    const index = this.#indexOf(call);
    const part = this.parts[index];
    if (part?.type !== "tool") throw new Error(`No tool call ${call.toolCallId} in this answer`);
    const { progress: _, ...kept } = part;
    this.parts[index] = { ...kept, ...change };
    this.#changedParts.add(index);
  }

  #indexOf({ toolCallId }: ToolPart): number {
    return this.parts.findIndex((part) => part.type === "tool" && part.toolCallId === toolCallId);
  }
}

const callId = (part: Part): string[] => (part.type === "tool" ? [part.toolCallId] : []);

const stepStatus = { completed: "completed", failed: "failed", denied: "stopped", stopped: "stopped" } as const;

/** Optional figures count where either has them. */
export function sum(a: Usage, b: Usage): Usage {
  const optional = (key: "cachedInputTokens" | "reasoningTokens" | "costMicros") =>
    a[key] === undefined && b[key] === undefined ? {} : { [key]: (a[key] ?? 0) + (b[key] ?? 0) };
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    ...optional("cachedInputTokens"),
    ...optional("reasoningTokens"),
    ...optional("costMicros"),
  };
}
