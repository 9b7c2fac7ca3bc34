import type { Part } from "../../src/protocol/shapes.ts";

/** The tool whose calls set the plan of an answer. */
const PLAN_TOOL = "plan";

/** The plan above the answer shows what such a call did; only one that did nothing is worth a card. */
export function isHiddenCall(part: Part): boolean {
  if (part.type !== "tool" || part.name !== PLAN_TOOL) return false;
  switch (part.status) {
    case "streaming":
    case "pending":
    case "running":
    case "completed":
    case "stopped":
      return true;
    case "waiting":
    case "failed":
    case "denied":
      return false;
  }
}
