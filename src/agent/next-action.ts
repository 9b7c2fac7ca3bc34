/**
 * What a run does next: a function of its row, its steps and its answer so far, never of what a process remembers.
 * So whoever claims a run, goes on where the journal ends.
 */
import type { ErrorCode } from "../protocol/errors.ts";
import type { Run, Step } from "../protocol/shapes.ts";

/** [R6] Takeovers without a finished step between them. */
export const MAX_TAKEOVERS = 5;

export interface RunFacts {
  readonly run: Pick<Run, "status" | "attempt" | "stopRequested">;
  /** Of this run, by index. */
  readonly steps: readonly Pick<Step, "index" | "status">[];
  /** Parts of the answer that finished steps have written. */
  readonly parts: number;
  /** On the caller's clock. */
  readonly deadlineAt: number;
}

export type Action =
  /** Call the model; what it says becomes part `partIndex` of the answer, and the call step `stepIndex`. */
  | { readonly type: "call-model"; readonly stepIndex: number; readonly partIndex: number; readonly attempt: number }
  | { readonly type: "finish"; readonly status: "completed" | "stopped" }
  | { readonly type: "fail"; readonly code: ErrorCode; readonly message: string }
  /** It has ended already, or nobody may run it: leave it alone. */
  | { readonly type: "none" };

export const ATTEMPTS_SPENT = `The run was interrupted more than ${MAX_TAKEOVERS} times in a row and was given up.`;
export const DEADLINE_PASSED = "The run did not finish before its deadline.";
export const TOO_LONG = "The answer reached 1 MiB, the longest that an answer may be, and was ended there.";

export function nextAction({ run, steps, parts, deadlineAt }: RunFacts, now: number): Action {
  if (run.status !== "running") return { type: "none" };
  if (run.stopRequested) return { type: "finish", status: "stopped" };

  const last = steps.at(-1);
  switch (last?.status) {
    // An answer of the model without tool calls ends the run.
    case "completed":
      return { type: "finish", status: "completed" };
    case "stopped":
      return { type: "finish", status: "stopped" };
    case "failed":
      return { type: "fail", code: "MODEL_FAILED", message: "The model failed." };
    case undefined:
      break;
  }

  // The first attempt is no takeover.
  if (run.attempt - 1 > MAX_TAKEOVERS) return { type: "fail", code: "RUN_LIMIT", message: ATTEMPTS_SPENT };
  if (now >= deadlineAt) return { type: "fail", code: "RUN_LIMIT", message: DEADLINE_PASSED };
  return { type: "call-model", stepIndex: (last?.index ?? -1) + 1, partIndex: parts, attempt: run.attempt };
}
