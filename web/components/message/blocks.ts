/** The parts of an answer as they stand on the page: calls that follow each other stand together. */
import type { Part } from "../../../src/protocol/shapes.ts";

export interface Block {
  readonly kind: Part["type"];
  /** Of the parts: one, or those of calls that follow each other. */
  readonly from: number;
  readonly to: number;
}

export function blocksOf(kinds: readonly Part["type"][]): readonly Block[] {
  const blocks: Block[] = [];
  for (let from = 0; from < kinds.length;) {
    const kind = kinds[from] ?? "text";
    let to = from + 1;
    while (kind === "tool" && kinds[to] === "tool") to++;
    blocks.push({ kind, from, to });
    from = to;
  }
  return blocks;
}
