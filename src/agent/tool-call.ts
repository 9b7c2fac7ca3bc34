/**
 * What is done about one tool call of an answer: a function of its part, its step and its approvals.
 *
 *   pending ─▶ unknown tool, wrong arguments ───────────────▶ answer: failed
 *      ├─▶ asks ─▶ ask ─▶ waiting ─┬─ approved ─▶ start ─▶ running ─▶ the tool's answer
 *      │                           └─ denied, expired ──────▶ answer: denied
 *      └─▶ start
 *
 * A step that says `running` though nobody here runs it was interrupted, and the tool's effect decides [R5].
 */
import type { StoredApproval, StoredStep } from "../ports/store.ts";
import type { Tool, ToolRegistry } from "../ports/tool.ts";
import type { Part, ToolArgs, ToolPart } from "../protocol/shapes.ts";

export interface CallFacts {
  readonly steps: readonly Pick<StoredStep, "status" | "attempt" | "toolCallId">[];
  readonly parts: readonly Part[];
  readonly approvals: readonly Pick<StoredApproval, "toolCallId" | "reason" | "status" | "decidedArgs">[];
  readonly allowedTools: readonly string[];
  readonly tools: Pick<ToolRegistry, "list" | "find" | "refusal">;
}

export type Settlement =
  /** Run it with these arguments, as this attempt. */
  | {
      readonly do: "start";
      readonly part: ToolPart;
      readonly args: ToolArgs;
      readonly attempt: number;
      readonly inTransaction: boolean;
    }
  /** Ask the tool whether the interrupted attempt took effect. */
  | { readonly do: "reconcile"; readonly part: ToolPart; readonly attempt: number }
  /** Ask a person. */
  | { readonly do: "ask"; readonly part: ToolPart; readonly reason: StoredApproval["reason"] }
  /** It does not run: this is what the model is told. */
  | { readonly do: "answer"; readonly part: ToolPart; readonly status: "failed" | "denied"; readonly error: string };

const INVALID = "Nothing was run: ";
const GIVEN_UP = " Do not call it again in this answer.";
/** The very same call, so often, is a model that goes round in circles. */
const MAX_REPEATS = 5;

/** Is it still to be settled? */
function isOpenCall(part: ToolPart): boolean {
  switch (part.status) {
    case "streaming":
    case "pending":
    case "waiting":
    case "running":
      return true;
    case "completed":
    case "failed":
    case "denied":
    case "stopped":
      return false;
  }
}

export const openCalls = (parts: readonly Part[]): ToolPart[] =>
  parts.filter((part) => part.type === "tool").filter(isOpenCall);

/** undefined: it waits for a person. */
export function settleCall(part: ToolPart, facts: CallFacts): Settlement | undefined {
  const tool = facts.tools.find(part.name);
  if (tool === undefined) return refused(part, facts, `There is no tool "${part.name}". ${listed(facts.tools)}`);
  if (part.argsText !== undefined) return refused(part, facts, "The arguments are no JSON object.");

  const asked = facts.approvals.filter((approval) => approval.toolCallId === part.toolCallId);
  const interrupted = facts.steps.findLast((step) => step.toolCallId === part.toolCallId && step.status === "running");
  if (interrupted !== undefined) return resume(part, tool, interrupted.attempt, asked);

  const permission = asked.findLast((approval) => approval.reason === "call");
  if (permission?.status === "pending") return undefined;
  const no = permission === undefined ? undefined : denial(permission.status);
  if (no !== undefined) return { do: "answer", part, status: "denied", error: no };
  const args = permission?.decidedArgs ?? part.args;
  const reason = facts.tools.refusal(part.name, args);
  if (reason !== undefined) return refused(part, facts, reason);
  if (repeats(part, facts.parts) >= MAX_REPEATS) {
    return refused(part, facts, "This very call was made and answered several times already. Use those answers.");
  }
  const mustAsk = tool.approval === "ask" && !facts.allowedTools.includes(part.name);
  if (permission === undefined && mustAsk) return { do: "ask", part, reason: "call" };
  return { do: "start", part, args, attempt: 1, inTransaction: tool.effect === "transactional" };
}

/** [R5] The attempt was journaled as started, and its owner is gone. */
function resume(part: ToolPart, tool: Tool, attempt: number, asked: CallFacts["approvals"]): Settlement | undefined {
  // The part has the arguments that it was started with.
  const again = (inTransaction: boolean): Settlement => ({
    do: "start",
    part,
    args: part.args,
    attempt: attempt + 1,
    inTransaction,
  });
  switch (tool.effect) {
    case "read":
    case "idempotent":
      return again(false);
    case "transactional":
      return again(true);
    case "unsafe": {
      // Each interrupted attempt needs an answer of its own.
      const answer = asked.filter((approval) => approval.reason === "repeat")[attempt - 1];
      if (answer === undefined) {
        return tool.reconcile !== undefined
          ? { do: "reconcile", part, attempt }
          : { do: "ask", part, reason: "repeat" };
      }
      if (answer.status === "pending") return undefined;
      if (answer.status === "approved") {
        return { do: "start", part, args: answer.decidedArgs ?? part.args, attempt: attempt + 1, inTransaction: false };
      }
      const error = "The call was interrupted. Nobody knows whether it took effect, and it was not repeated.";
      return { do: "answer", part, status: "failed", error };
    }
  }
}

function denial(status: StoredApproval["status"]): string | undefined {
  switch (status) {
    case "denied":
      return "The person did not allow this call.";
    case "expired":
      return "Nobody decided in time, so it was not run.";
    case "cancelled":
      return "The question was withdrawn, so it was not run.";
    case "approved":
    case "pending":
      return undefined;
  }
}

/** The model may mend its call once. */
function refused(part: ToolPart, { parts }: CallFacts, reason: string): Settlement {
  const before = parts.some(
    (other) => other.type === "tool" && other.name === part.name && other.error?.startsWith(INVALID) === true,
  );
  const error = `${INVALID}${reason}${before ? GIVEN_UP : ""}`;
  return { do: "answer", part, status: "failed", error };
}

function listed(tools: CallFacts["tools"]): string {
  const names = tools.list().map(({ name }) => name);
  return names.length === 0 ? "There are none." : `There are: ${names.join(", ")}.`;
}

function repeats(part: ToolPart, parts: readonly Part[]): number {
  const args = JSON.stringify(part.args);
  const settled = parts.filter((other) => other.type === "tool").filter((other) => !isOpenCall(other));
  return settled.filter((other) => other.name === part.name && JSON.stringify(other.args) === args).length;
}
