/**
 * What a subscriber sees [W4]. AG-UI 1.0 event objects where AG-UI has one, `CUSTOM` with a dotted name for the rest.
 * Every event that announces state is an upsert by id: meeting it twice changes nothing.
 */
import { z } from "zod";
import { conversation, id, message, messageStatus, run } from "./shapes.ts";

export const runStarted = z.object({
  type: z.literal("RUN_STARTED"),
  threadId: id,
  runId: id,
  /** The whole run, so that a reader who missed the queue knows it. */
  run,
  /** The answer that this run writes. */
  message,
});

export const textMessageStart = z.object({
  type: z.literal("TEXT_MESSAGE_START"),
  messageId: id,
  role: z.literal("assistant"),
  runId: id,
  partIndex: z.int().min(0),
});

export const textMessageContent = z.object({
  type: z.literal("TEXT_MESSAGE_CONTENT"),
  messageId: id,
  partIndex: z.int().min(0),
  /** UTF-16 length of the part before this delta [W5]. */
  offset: z.int().min(0),
  delta: z.string(),
});

export const textMessageEnd = z.object({
  type: z.literal("TEXT_MESSAGE_END"),
  messageId: id,
  partIndex: z.int().min(0),
  /** UTF-16 length of the finished part; a reader with another length has a gap. */
  length: z.int().min(0),
  status: messageStatus,
});

const tokenUsage = z.object({
  provider: z.string(),
  model: z.string(),
  inputTokens: z.int(),
  outputTokens: z.int(),
});

export const runFinished = z.object({
  type: z.literal("RUN_FINISHED"),
  threadId: id,
  runId: id,
  outcome: z.object({ type: z.enum(["success", "cancelled"]) }),
  usage: z.array(tokenUsage),
  run,
});

export const runError = z.object({
  type: z.literal("RUN_ERROR"),
  threadId: id,
  runId: id,
  message: z.string(),
  code: z.string(),
  run,
});

const custom = <Name extends string, Value extends z.ZodType>(name: Name, value: Value) =>
  z.object({ type: z.literal("CUSTOM"), name: z.literal(name), value });

/** A person's message, or another message that did not come as a stream. */
export const messageCreated = custom("message.created", z.object({ message }));
/** A message that was announced before has new fields (a queued one gets its `parentId`). */
export const messageUpdated = custom("message.updated", z.object({ message }));
/**
 * Cut that part back to `length` and remove every later part of the message: the model call starts again as
 * `attempt` [R5]. TEXT_MESSAGE_START is not repeated for a part that goes on.
 */
export const messageReset = custom(
  "message.reset",
  z.object({ messageId: id, partIndex: z.int().min(0), length: z.int().min(0), attempt: z.int(), runId: id }),
);
/** A run was queued, or ended before it started. */
export const runUpdated = custom("run.updated", z.object({ run }));
export const conversationCreated = custom("conversation.created", z.object({ conversation }));
/** It has another title: by `conversation.rename`, or an untitled one by its first message. */
export const conversationRenamed = custom("conversation.renamed", z.object({ conversation }));
/** It has new activity; on the user's topic, so that lists stay sorted. */
export const conversationUpdated = custom("conversation.updated", z.object({ conversation }));

export const parleyEvent = z.union([
  runStarted,
  textMessageStart,
  textMessageContent,
  textMessageEnd,
  runFinished,
  runError,
  messageCreated,
  messageUpdated,
  messageReset,
  runUpdated,
  conversationCreated,
  conversationRenamed,
  conversationUpdated,
]);
export type ParleyEvent = z.infer<typeof parleyEvent>;
export type TextMessageContent = z.infer<typeof textMessageContent>;
