import type { Approval } from "../protocol/shapes.ts";
import { bounded, type Transcript } from "./transcript.ts";

/** Decided ones that are remembered. */
const MAX_DECIDED = 100;

const isDecided = ({ status }: Approval): boolean => status !== "pending";

/** A decision is final: that it was asked for may be heard again after it. */
export function withApproval(state: Transcript, approval: Approval): Transcript {
  const before = state.approvals.get(approval.id);
  if (before !== undefined && isDecided(before)) return state;
  const approvals = new Map(state.approvals).set(approval.id, approval);
  return { ...state, approvals: bounded(approvals, MAX_DECIDED, isDecided) };
}

/** Those of a snapshot, which wait, and the decisions that this reader saw. */
export function decidedBefore(
  before: ReadonlyMap<string, Approval>,
  waiting: readonly Approval[],
): ReadonlyMap<string, Approval> {
  const approvals = new Map([...before].filter(([, approval]) => isDecided(approval)));
  for (const approval of waiting) if (!approvals.has(approval.id)) approvals.set(approval.id, approval);
  return approvals;
}
