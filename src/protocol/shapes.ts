import { z } from "zod";

/** An opaque id; ours are UUIDv7. */
export const id = z.string().min(1).max(64);
/** ISO 8601, UTC. */
export const time = z.iso.datetime();

/**
 * Text that a person or a program wrote. U+0000 is refused, as Postgres cannot hold it; a lone surrogate becomes
 * U+FFFD, so that what is stored, streamed and shown is the same text everywhere.
 */
export const text = (max: number): z.ZodType<string, string> =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes("\u0000"), { error: "text without U+0000" })
    .transform((value) => value.toWellFormed());

/** A place in a topic's log [W5]: the seq of the last event that was applied, in this epoch. 0 = none yet. */
export const position = z.strictObject({ epoch: z.string().min(1).max(64), seq: z.int().min(0) });
export type Position = z.infer<typeof position>;

/** `conversation:<id>` or `user:<id>`. */
export const topic = z.string().regex(/^(conversation|user):[A-Za-z0-9_-]{1,64}$/, {
  error: "conversation:<id> or user:<id>",
});

export const user = z.object({ id, name: z.string() });
export const tenant = z.object({ id, name: z.string() });
export type User = z.infer<typeof user>;
export type Tenant = z.infer<typeof tenant>;

export const session = z.object({
  id,
  expiresAt: time,
  createdAt: time,
  lastSeenAt: time,
  /** What the client called itself, cut to 200 characters. */
  device: z.string(),
  /** Is it the session that asks? */
  current: z.boolean(),
});
export type Session = z.infer<typeof session>;

export const conversation = z.object({
  id,
  title: z.string(),
  model: z.string().nullable(),
  createdAt: time,
  updatedAt: time,
});
export type Conversation = z.infer<typeof conversation>;

export const textPart = z.object({
  type: z.literal("text"),
  text: z.string(),
  /**
   * Present when `text` is only the beginning: the whole part's length in UTF-16 units. `message.read` gives the rest.
   */
  length: z.int().optional(),
});
export const part = z.discriminatedUnion("type", [textPart]);
export type TextPart = z.infer<typeof textPart>;
export type Part = z.infer<typeof part>;

export const messageStatus = z.enum(["streaming", "complete", "stopped", "failed"]);
export type MessageStatus = z.infer<typeof messageStatus>;

export const message = z.object({
  id,
  conversationId: id,
  /** null for the first message, and for one that still waits in the queue. */
  parentId: id.nullable(),
  role: z.enum(["user", "assistant", "system"]),
  /** The user's id, or the model's for an assistant. */
  author: z.string(),
  parts: z.array(part),
  status: messageStatus,
  createdAt: time,
  /** The run that answers with, or was started by, this message. */
  runId: id.nullable(),
});
export type Message = z.infer<typeof message>;

export const runStatus = z.enum(["queued", "running", "waiting", "completed", "failed", "stopped"]);
export type RunStatus = z.infer<typeof runStatus>;

export const usage = z.object({ inputTokens: z.int(), outputTokens: z.int() });
export type Usage = z.infer<typeof usage>;

export const run = z.object({
  id,
  conversationId: id,
  status: runStatus,
  /** 1 for the first try; a takeover after a lost lease counts one more [R6]. */
  attempt: z.int(),
  model: z.string(),
  userMessageId: id,
  assistantMessageId: id,
  /** Order in the conversation; the lowest that has not ended runs first. */
  position: z.int(),
  stopRequested: z.boolean(),
  usage,
  /** Why it failed: a code of the error table and a sentence. */
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  createdAt: time,
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
});
export type Run = z.infer<typeof run>;

export const step = z.object({
  id,
  runId: id,
  index: z.int(),
  kind: z.enum(["model"]),
  attempt: z.int(),
  status: z.enum(["completed", "failed", "stopped"]),
  usage,
  startedAt: time,
  finishedAt: time,
});
export type Step = z.infer<typeof step>;

/** Snapshot of `conversation:<id>` [W6]. Messages are oldest first; the streaming one has its text so far. */
export const conversationSnapshot = z.object({
  conversation,
  messages: z.array(message),
  /** Older messages exist: `conversation.get` with `before` reads them. */
  hasMore: z.boolean(),
  activeRun: run.optional(),
  queuedRuns: z.array(run),
});
export type ConversationSnapshot = z.infer<typeof conversationSnapshot>;

/** Snapshot of `user:<id>`: the newest conversations, most recently active first. */
export const userSnapshot = z.object({ conversations: z.array(conversation), nextCursor: z.string().nullable() });
export type UserSnapshot = z.infer<typeof userSnapshot>;

export const modelInfo = z.object({
  id: z.string(),
  provider: z.string(),
  name: z.string(),
  /** It is the built-in demo model; `hint` says which variable switches a real one on. */
  demo: z.boolean().optional(),
  hint: z.string().optional(),
  available: z.boolean(),
});
export type ModelInfo = z.infer<typeof modelInfo>;
