/**
 * What a run does next: a function of its row, its steps, its approvals and its answer so far, never of what a process
 * remembers beside the calls that it runs itself. So whoever claims a run goes on where the journal ends.
 *
 *            ┌──────────── tool results ─────────────┐
 *            ▼                                       │
 *   ▶ call-model ──▶ calls? ── yes ─▶ settle ─▶ await-calls | wait for a person
 *            ▲         └─ no ──▶ finish
 *            └── steer ◀── a message wants to join
 */
import type { StoredApproval, StoredStep } from "../ports/store.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { Part, Run, ToolPart, Usage } from "../protocol/shapes.ts";
import { type CallFacts, openCalls, settleCall, type Settlement } from "./tool-call.ts";

/** [R6] Takeovers without a finished step between them. */
export const MAX_TAKEOVERS = 5;

export interface RunFacts {
  readonly run: Pick<Run, "status" | "attempt" | "stopRequested">;
  /** Of this run, by index. */
  readonly steps: readonly Pick<StoredStep, "index" | "kind" | "status" | "attempt" | "toolCallId" | "answer">[];
  /** The answer that is written now. */
  readonly messageId: string;
  readonly parts: readonly Part[];
  readonly approvals: readonly Pick<StoredApproval, "toolCallId" | "reason" | "status" | "decidedArgs">[];
  readonly allowedTools: readonly string[];
  /** Messages that want to join. */
  readonly steers: number;
  /** Calls that this process runs now. */
  readonly inFlight: ReadonlySet<string>;
  readonly tools: CallFacts["tools"];
  readonly usage: Usage;
  readonly maxSteps: number;
  /** Input and output together. */
  readonly maxTokens: number;
  /** On the caller's clock. */
  readonly deadlineAt: number;
}

export type Action =
  /** Call the model; what it says becomes parts from `partIndex` on, and the call step `stepIndex`. */
  | { readonly type: "call-model"; readonly stepIndex: number; readonly partIndex: number; readonly attempt: number }
  /** Let the messages that wait join, then look again. */
  | { readonly type: "steer" }
  /** Tool calls of which it is known what to do now. */
  | { readonly type: "settle"; readonly calls: readonly Settlement[] }
  /** Calls run in this process: one of them has to end first. */
  | { readonly type: "await-calls" }
  /** Only a person can go on with it [R7]. */
  | { readonly type: "wait" }
  | { readonly type: "finish"; readonly status: "completed" | "stopped" }
  | { readonly type: "fail"; readonly code: ErrorCode; readonly message: string }
  /** It has ended already, or nobody may run it: leave it alone. */
  | { readonly type: "none" };

export const ATTEMPTS_SPENT = `The run was interrupted more than ${MAX_TAKEOVERS} times in a row and was given up.`;
export const DEADLINE_PASSED = "The run did not finish before its deadline.";
export const TOO_LONG = "The answer reached 1 MiB, the longest that an answer may be, and was ended there.";
export const TOO_MANY_STEPS = "The run called the model as often as a run may, and was ended there.";
export const TOKENS_SPENT = "The run used all the tokens that a run may use.";

const limit = (message: string): Action => ({ type: "fail", code: "RUN_LIMIT", message });

export function nextAction(facts: RunFacts, now: number): Action {
  const { run, steps, parts } = facts;
  if (run.status !== "running") return { type: "none" };
  if (run.stopRequested) return { type: "finish", status: "stopped" };

  const modelSteps = steps.filter((step) => step.kind === "model");
  const last = modelSteps.at(-1);
  if (last?.status === "stopped") return { type: "finish", status: "stopped" };
  if (last?.status === "failed") return { type: "fail", code: "MODEL_FAILED", message: "The model failed." };

  const open = openCalls(parts);
  if (last?.status === "completed" && open.length === 0 && endsHere(last, facts)) {
    return facts.steers > 0 ? { type: "steer" } : { type: "finish", status: "completed" };
  }

  // The first attempt is no takeover.
  if (run.attempt - 1 > MAX_TAKEOVERS) return limit(ATTEMPTS_SPENT);
  if (now >= facts.deadlineAt) return limit(DEADLINE_PASSED);
  if (open.length > 0) return settle(open, facts);

  if (modelSteps.length >= facts.maxSteps) return limit(TOO_MANY_STEPS);
  if (facts.usage.inputTokens + facts.usage.outputTokens >= facts.maxTokens) return limit(TOKENS_SPENT);
  // An answer without a word yet is not split: who steers it joins after its first step.
  if (facts.steers > 0 && parts.length > 0) return { type: "steer" };
  const stepIndex = (steps.at(-1)?.index ?? -1) + 1;
  return { type: "call-model", stepIndex, partIndex: parts.length, attempt: run.attempt };
}

/** Is there nothing to tell the model? It called no tool, and nobody has joined since. */
function endsHere({ answer }: RunFacts["steps"][number], { messageId, parts }: RunFacts): boolean {
  if (answer === undefined) return true;
  return answer.messageId === messageId && parts.slice(answer.from, answer.to).every((part) => part.type !== "tool");
}

function settle(open: readonly ToolPart[], facts: RunFacts): Action {
  const calls = open
    .filter((part) => !facts.inFlight.has(part.toolCallId))
    .map((part) => settleCall(part, facts))
    .filter((settlement) => settlement !== undefined);
  if (calls.length > 0) return { type: "settle", calls };
  return facts.inFlight.size > 0 ? { type: "await-calls" } : { type: "wait" };
}
