/** The tools that every server has. */
import type { Tool } from "../ports/tool.ts";
import { calculator } from "./calculator.ts";
import { createClock, type ClockOptions } from "./clock.ts";
import { fileDelete } from "./file-delete.ts";
import { memoryForget, memorySave, memorySearch } from "./memory.ts";
import { plan } from "./plan.ts";
import { createResearch, type ResearchOptions } from "./research.ts";

export interface BuiltinOptions {
  readonly clock?: ClockOptions;
  readonly research?: ResearchOptions;
}

export const createBuiltinTools = (options: BuiltinOptions = {}): readonly Tool[] => [
  createClock(options.clock),
  calculator,
  memorySave,
  memorySearch,
  memoryForget,
  plan,
  createResearch(options.research),
  fileDelete,
];
