import type { Position } from "../protocol/shapes.ts";

/** What to do with an event [W5]: it is new, it is known, or something before it is missing. */
export type Verdict = "apply" | "drop" | "gap";

/** A merged delta spans `fromSeq` to `seq`; one that begins before the position is applied, its offset cuts the rest. */
export function judge(position: Position, epoch: string, seq: number, fromSeq: number): Verdict {
  if (epoch !== position.epoch) return "gap";
  if (seq <= position.seq) return "drop";
  return fromSeq > position.seq + 1 ? "gap" : "apply";
}
