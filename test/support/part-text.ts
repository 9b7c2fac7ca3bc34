import type { Part } from "../../src/protocol/shapes.ts";

/** The text of a part that is text; of any other, and of none, "". */
export const partText = (part: Part | null | undefined): string => (part?.type === "text" ? part.text : "");
