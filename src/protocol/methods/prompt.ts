import { z } from "zod";
import { id, MAX_PROMPT_NAME, prompt, promptText, text } from "../shapes.ts";
import { idempotencyKey } from "./conversation.ts";

const name = text(MAX_PROMPT_NAME).refine((value) => value.trim() !== "", { error: "not blank" });

/** A person's own prompts. */
export const promptMethods = {
  /** Newest first. */
  "prompt.list": {
    params: z.strictObject({ cursor: z.string().max(200).optional() }),
    result: z.object({ prompts: z.array(prompt), nextCursor: z.string().nullable() }),
  },
  /** Without `promptId`, a new one. TOO_MANY when there are as many as may be. */
  "prompt.save": {
    params: z.strictObject({ promptId: id.optional(), name, text: promptText, idempotencyKey }),
    result: z.object({ prompt }),
  },
  "prompt.delete": { params: z.strictObject({ promptId: id }), result: z.object({}) },
} as const;
