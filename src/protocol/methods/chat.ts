import { z } from "zod";
import { id, modelInfo, run, step, text } from "../shapes.ts";
import { idempotencyKey } from "./conversation.ts";

/** UTF-16 units of one message; with JSON escapes it stays below an incoming frame. */
export const MAX_MESSAGE = 100_000;

export const whenBusy = z.enum(["queue", "interrupt", "reject"]);
export type WhenBusy = z.infer<typeof whenBusy>;

export const chatMethods = {
  /** Writes the message, the run and the key in one transaction, then answers [R1]; the answer streams as events. */
  "chat.send": {
    params: z.strictObject({
      conversationId: id,
      text: text(MAX_MESSAGE).refine((value) => value.trim() !== "", { error: "not blank" }),
      model: z.string().max(200).optional(),
      whenBusy: whenBusy.optional(),
      idempotencyKey,
      /** The id the client already shows the message under, so that the echo replaces it. */
      clientMessageId: z.uuid().optional(),
    }),
    result: z.object({ runId: id, userMessageId: id, state: z.enum(["running", "queued"]) }),
  },
  /** Stops the active run of the conversation, or the run named, also a queued one. */
  "chat.stop": {
    params: z.union([z.strictObject({ conversationId: id }), z.strictObject({ runId: id })]),
    result: z.object({ stopped: z.boolean() }),
  },
  "run.get": { params: z.strictObject({ runId: id }), result: z.object({ run, steps: z.array(step) }) },
  "model.list": { params: z.strictObject({}), result: z.object({ models: z.array(modelInfo) }) },
} as const;
