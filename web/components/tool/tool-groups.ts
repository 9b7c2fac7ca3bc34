/** Tool calls that follow each other on the page: which are shown one by one, and which as "Ran 5 tools". */
import type { ToolPart, ToolStatus } from "../../../src/protocol/shapes.ts";
import { text } from "../../text/text.ts";

/** So many finished ones in a row become one line. */
export const GROUPED = 3;

export interface Segment {
  /** Of the calls. */
  readonly from: number;
  readonly to: number;
  readonly grouped: boolean;
}

export function isFinished(status: ToolStatus): boolean {
  switch (status) {
    case "completed":
    case "failed":
    case "denied":
    case "stopped":
      return true;
    case "streaming":
    case "pending":
    case "waiting":
    case "running":
      return false;
  }
}

/** `[from, to)` of the calls, in order and without gaps. */
export function segmentsOf(statuses: readonly ToolStatus[]): readonly Segment[] {
  const segments: Segment[] = [];
  for (let from = 0; from < statuses.length;) {
    let to = from;
    while (to < statuses.length && isFinished(statuses[to] ?? "running")) to++;
    const grouped = to - from >= GROUPED;
    const end = grouped ? to : from + 1;
    segments.push({ from, to: end, grouped });
    from = end;
  }
  return segments;
}

/** "Ran 5 tools · 8 s · 1 failed": the time from the first start to the last end. */
export function groupWords(calls: readonly Pick<ToolPart, "status" | "startedAt" | "finishedAt">[]): {
  readonly title: string;
  readonly ms: number;
  readonly failed: number;
  readonly denied: number;
} {
  const times = (key: "startedAt" | "finishedAt"): number[] =>
    calls.flatMap((call) => (call[key] === undefined ? [] : [Date.parse(call[key])]));
  const count = (status: ToolStatus): number => calls.filter((call) => call.status === status).length;
  const [starts, ends] = [times("startedAt"), times("finishedAt")];
  const ran = calls.length - count("denied") - count("stopped");
  return {
    title: ran > 0 ? text().tool.ran(ran) : text().tool.didNotRun(calls.length),
    ms: starts.length === 0 || ends.length === 0 ? 0 : Math.max(...ends) - Math.min(...starts),
    failed: count("failed"),
    denied: count("denied"),
  };
}
