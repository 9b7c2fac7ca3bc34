/**
 * What a subscriber sees [W4]. AG-UI 1.0 event objects where AG-UI has one, `CUSTOM` with a dotted name for the rest.
 * Every event that announces state is an upsert by id: meeting it twice changes nothing.
 */
import { z } from "zod";
import {
  approval,
  conversation,
  folder,
  id,
  message,
  messageStatus,
  plan,
  presenceChange,
  run,
  step,
  toolPart,
} from "./shapes.ts";

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

/** Reasoning streams as text does, into a part of the answer of its own. */
export const reasoningMessageStart = z.object({
  type: z.literal("REASONING_MESSAGE_START"),
  messageId: id,
  role: z.literal("reasoning"),
  runId: id,
  partIndex: z.int().min(0),
});
export const reasoningMessageContent = z.object({
  type: z.literal("REASONING_MESSAGE_CONTENT"),
  messageId: id,
  partIndex: z.int().min(0),
  offset: z.int().min(0),
  delta: z.string(),
});
export const reasoningMessageEnd = z.object({
  type: z.literal("REASONING_MESSAGE_END"),
  messageId: id,
  partIndex: z.int().min(0),
  length: z.int().min(0),
});

/** A part of the answer that is a tool call begins; its arguments follow as deltas of JSON text. */
export const toolCallStart = z.object({
  type: z.literal("TOOL_CALL_START"),
  toolCallId: id,
  toolCallName: z.string(),
  /** The answer: the same as `messageId`, under the name that AG-UI gives it. */
  parentMessageId: id,
  messageId: id,
  runId: id,
  partIndex: z.int().min(0),
});
export const toolCallArgs = z.object({
  type: z.literal("TOOL_CALL_ARGS"),
  toolCallId: id,
  messageId: id,
  partIndex: z.int().min(0),
  /** UTF-16 length of the arguments' text before this delta [W5]. */
  offset: z.int().min(0),
  delta: z.string(),
});
/** The arguments are whole. The journaled part follows as `tool.updated`. */
export const toolCallEnd = z.object({
  type: z.literal("TOOL_CALL_END"),
  toolCallId: id,
  messageId: id,
  partIndex: z.int().min(0),
  /** UTF-16 length of the arguments' text. */
  length: z.int().min(0),
});
export const toolCallResult = z.object({
  type: z.literal("TOOL_CALL_RESULT"),
  messageId: id,
  toolCallId: id,
  role: z.literal("tool"),
  /** What the model is told: the result as JSON, or the error. */
  content: z.string(),
  partIndex: z.int().min(0),
  /** The whole part as it is now. */
  part: toolPart,
});

export const stepStarted = z.object({ type: z.literal("STEP_STARTED"), stepName: z.string(), runId: id, step });
export const stepFinished = z.object({ type: z.literal("STEP_FINISHED"), stepName: z.string(), runId: id, step });

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
 * `attempt` [R5]. With `length` 0 the part goes too, and its START follows when it begins again, maybe as another
 * kind; otherwise START is not repeated.
 */
export const messageReset = custom(
  "message.reset",
  z.object({ messageId: id, partIndex: z.int().min(0), length: z.int().min(0), attempt: z.int(), runId: id }),
);
/** A tool call's part has changed: it runs, or waits for a decision, or ended without a result. */
export const toolUpdated = custom(
  "tool.updated",
  z.object({ messageId: id, partIndex: z.int().min(0), part: toolPart }),
);
/** A word of a tool that runs; only the newest counts, and the result ends it. */
export const toolProgress = custom(
  "tool.progress",
  z.object({
    messageId: id,
    partIndex: z.int().min(0),
    toolCallId: id,
    message: z.string(),
    fraction: z.number().min(0).max(1).optional(),
  }),
);
export const approvalRequested = custom("approval.requested", z.object({ approval }));
/** Approved, denied, expired or cancelled. */
export const approvalDecided = custom("approval.decided", z.object({ approval }));
/** The whole plan of an answer as it is now. */
export const planUpdated = custom("plan.updated", z.object({ messageId: id, runId: id, plan }));
/** Another branch is shown from now on; also sent when a regenerated or edited message makes one. */
export const branchSelected = custom("branch.selected", z.object({ conversationId: id, headMessageId: id }));
/** The model can't be reached and is asked again, or another one is: what a person should know meanwhile. */
export const runNotice = custom(
  "run.notice",
  z.object({
    runId: id,
    kind: z.enum(["retrying", "fallback"]),
    message: z.string(),
    retryAt: z.iso.datetime().optional(),
  }),
);
/** A run was queued, waits for a decision, goes on after one, or ended before it started. */
export const runUpdated = custom("run.updated", z.object({ run }));
export const conversationCreated = custom("conversation.created", z.object({ conversation }));
/** It has another title: by `conversation.rename`, or an untitled one by its first message. */
export const conversationRenamed = custom("conversation.renamed", z.object({ conversation }));
/**
 * It has new activity, or was pinned, archived or moved; on the user's topic, so that lists stay as they
 * should be. A list puts it in, wherever it belongs.
 */
export const conversationUpdated = custom("conversation.updated", z.object({ conversation }));
/** It is gone, for everybody; on its own topic too. What else is said of it afterwards is void, until it is restored. */
export const conversationDeleted = custom("conversation.deleted", z.object({ conversationId: id }));
/** Its deletion was taken back; on the user's topic. */
export const conversationRestored = custom("conversation.restored", z.object({ conversation }));
/** A folder was made or renamed; on the user's topic. */
export const folderUpdated = custom("folder.updated", z.object({ folder }));
/** Its conversations are in no folder from now on. */
export const folderDeleted = custom("folder.deleted", z.object({ folderId: id }));

export const parleyEvent = z.union([
  runStarted,
  textMessageStart,
  textMessageContent,
  textMessageEnd,
  reasoningMessageStart,
  reasoningMessageContent,
  reasoningMessageEnd,
  toolCallStart,
  toolCallArgs,
  toolCallEnd,
  toolCallResult,
  stepStarted,
  stepFinished,
  runFinished,
  runError,
  messageCreated,
  messageUpdated,
  messageReset,
  toolUpdated,
  toolProgress,
  approvalRequested,
  approvalDecided,
  planUpdated,
  branchSelected,
  runNotice,
  runUpdated,
  conversationCreated,
  conversationRenamed,
  conversationUpdated,
  conversationDeleted,
  conversationRestored,
  folderUpdated,
  folderDeleted,
]);
export type ParleyEvent = z.infer<typeof parleyEvent>;
export type TextMessageContent = z.infer<typeof textMessageContent>;

/** Deltas of a growing part. */
export type DeltaEvent = TextMessageContent | z.infer<typeof reasoningMessageContent> | z.infer<typeof toolCallArgs>;

/** Somebody came to look at the topic, has another state, or is gone. */
export const presenceChanged = custom("presence.changed", presenceChange);
/** What comes without a seq, in an `ephemeral` frame, and is never told again [L10]. */
export type EphemeralEvent = z.infer<typeof presenceChanged>;
