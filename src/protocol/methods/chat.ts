import { z } from "zod";
import { approval, id, memory, memoryText, modelInfo, run, step, text, toolArgs, toolInfo } from "../shapes.ts";
import { idempotencyKey } from "./conversation.ts";

/** UTF-16 units of one message; with JSON escapes it stays below an incoming frame. */
export const MAX_MESSAGE = 100_000;

export const MAX_FILES = 10;

/**
 * What to do while a run is active [R2]: wait behind it, join it at its next step, stop it and take its place, or
 * refuse. `steer` is as `queue` when no run is active.
 */
export const whenBusy = z.enum(["queue", "steer", "interrupt", "reject"]);
export type WhenBusy = z.infer<typeof whenBusy>;
const sent = z.object({ runId: id, userMessageId: id, state: z.enum(["running", "queued", "steered"]) });

const said = text(MAX_MESSAGE).refine((value) => value.trim() !== "", { error: "not blank" });
/** Beside the text: files of `POST /files`. */
const parts = z
  .array(z.strictObject({ type: z.literal("file"), fileId: id }))
  .max(MAX_FILES)
  .optional();
const model = z.string().max(200).optional();
/** The id the client already shows the message under, so that the echo replaces it. */
const clientMessageId = z.uuid().optional();

export const chatMethods = {
  /** Writes the message, the run and the key in one transaction, then answers [R1]; the answer streams as events. */
  "chat.send": {
    params: z.strictObject({
      conversationId: id,
      text: said,
      parts,
      model,
      whenBusy: whenBusy.optional(),
      idempotencyKey,
      clientMessageId,
    }),
    result: sent,
  },
  /** `chat.send` with `whenBusy: "steer"`. */
  "chat.steer": {
    params: z.strictObject({ conversationId: id, text: said, idempotencyKey, clientMessageId }),
    result: sent,
  },
  /** Answers the same message again: another branch beside the answer `messageId`. */
  "chat.regenerate": {
    params: z.strictObject({ conversationId: id, messageId: id, model, idempotencyKey }),
    result: sent,
  },
  /** Says something else in place of the person's message `messageId`: another branch, with its own answer. */
  "chat.edit": {
    params: z.strictObject({
      conversationId: id,
      messageId: id,
      text: said,
      parts,
      model,
      idempotencyKey,
      clientMessageId,
    }),
    result: sent,
  },
  /** Stops the active run of the conversation, or the run named, also a queued one. */
  "chat.stop": {
    params: z.union([z.strictObject({ conversationId: id }), z.strictObject({ runId: id })]),
    result: z.object({ stopped: z.boolean() }),
  },
  "run.get": { params: z.strictObject({ runId: id }), result: z.object({ run, steps: z.array(step) }) },
  /** Answers again the message whose run failed or was stopped: a branch beside the broken answer. */
  "run.retry": { params: z.strictObject({ runId: id, idempotencyKey }), result: sent },
  "model.list": { params: z.strictObject({}), result: z.object({ models: z.array(modelInfo) }) },
  "tool.list": { params: z.strictObject({}), result: z.object({ tools: z.array(toolInfo) }) },
  /**
   * The first decision stands [R7]; the same again is answered with it, another is ALREADY_DECIDED. `args` replaces the
   * arguments that were asked for; `remember` allows this tool to this user from now on.
   */
  "approval.decide": {
    params: z.strictObject({
      approvalId: id,
      decision: z.enum(["approve", "deny"]),
      args: toolArgs.optional(),
      remember: z.boolean().optional(),
    }),
    result: z.object({ approval }),
  },
  /** Those of this user that wait for a decision, oldest first, at most 100. */
  "approval.list": { params: z.strictObject({}), result: z.object({ approvals: z.array(approval) }) },
  "memory.list": {
    params: z.strictObject({ cursor: z.string().max(200).optional() }),
    result: z.object({ memories: z.array(memory), nextCursor: z.string().nullable() }),
  },
  "memory.create": {
    params: z.strictObject({ text: memoryText, idempotencyKey }),
    result: z.object({ memory }),
  },
  "memory.update": { params: z.strictObject({ memoryId: id, text: memoryText }), result: z.object({ memory }) },
  "memory.delete": { params: z.strictObject({ memoryId: id }), result: z.object({}) },
} as const;
