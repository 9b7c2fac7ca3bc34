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

/** Somebody who looks at a topic, by one connection: `memberId` is the `connectionId` of its `hello` [L10]. */
export const presenceMember = z.object({ memberId: z.string(), user, state: z.enum(["active", "typing", "away"]) });
export const presenceChange = presenceMember.extend({ state: z.enum(["active", "typing", "away", "gone"]) });
export type PresenceMember = z.infer<typeof presenceMember>;
export type PresenceChange = z.infer<typeof presenceChange>;
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
  /** Last message of the active branch, the one that is shown and that the next message follows; null when empty. */
  headMessageId: id.nullable(),
  createdAt: time,
  updatedAt: time,
  /** Since when it stands before the others; absent: it does not. */
  pinnedAt: time.optional(),
  /** Since when it is in the archive, out of the list; absent: it is not. */
  archivedAt: time.optional(),
  /** The folder that it is in. One that does not exist means none: it was deleted. */
  folderId: id.optional(),
});
export type Conversation = z.infer<typeof conversation>;

/** Where a person puts conversations. Lists show folders by name. */
export const folder = z.object({ id, name: z.string(), createdAt: time });
export type Folder = z.infer<typeof folder>;

/** A link by which others of the tenant read a conversation. Its token is told once, when it is made. */
export const share = z.object({ id, conversationId: id, createdAt: time });
export type Share = z.infer<typeof share>;

/** A piece of a message around what was looked for. */
export const excerpt = z.object({
  messageId: id,
  text: z.string(),
  /** Does the message begin, or end, here? */
  atStart: z.boolean(),
  atEnd: z.boolean(),
});
export type Excerpt = z.infer<typeof excerpt>;

/** A text that grows while it streams. */
const growing = {
  text: z.string(),
  /**
   * Present when `text` is only the beginning: the whole part's length in UTF-16 units. `message.read` gives the rest.
   */
  length: z.int().optional(),
};
export const textPart = z.object({ type: z.literal("text"), ...growing });
/** What a model thought before it answered, as far as its provider tells. */
export const reasoningPart = z.object({ type: z.literal("reasoning"), ...growing });

/**
 *   streaming ─▶ pending ─▶ running ─▶ completed | failed
 *                   └─▶ waiting ─▶ running | denied          any of them, when the run ends first: stopped
 */
export const toolStatus = z.enum([
  "streaming",
  "pending",
  "waiting",
  "running",
  "completed",
  "failed",
  "denied",
  "stopped",
]);
export type ToolStatus = z.infer<typeof toolStatus>;

/** Arguments of a tool call: a JSON object, with which exactly it runs. */
export const toolArgs = z.record(z.string(), z.unknown());
export type ToolArgs = z.infer<typeof toolArgs>;
/** Of the arguments of one tool. */
export type ToolArgsSchema = z.ZodType<ToolArgs>;

export const toolPart = z.object({
  type: z.literal("tool"),
  toolCallId: id,
  name: z.string(),
  /** {} while they stream, and when the model wrote no JSON object. */
  args: toolArgs,
  /** The arguments as the model writes them: present while they stream, and when they are no JSON object. */
  argsText: z.string().optional(),
  /** What the tool answered: any JSON. */
  result: z.unknown().optional(),
  /** Why it did not: a sentence for people and for the model. */
  error: z.string().optional(),
  status: toolStatus,
  /** The newest word of a tool that runs; `fraction` is 0 to 1. */
  progress: z.object({ message: z.string(), fraction: z.number().optional() }).optional(),
  approvalId: id.optional(),
  startedAt: time.optional(),
  finishedAt: time.optional(),
  /** Present when `args` and `result` were left out for their size: UTF-16 length of the whole part's JSON, which
   * `message.read` gives. */
  length: z.int().optional(),
});
/** A file that was uploaded before with `POST /files`; read at `/files/<fileId>`. */
export const filePart = z.object({
  type: z.literal("file"),
  fileId: id,
  name: z.string(),
  mediaType: z.string(),
  /** Bytes. */
  size: z.int(),
});
export const part = z.discriminatedUnion("type", [textPart, reasoningPart, toolPart, filePart]);
export type TextPart = z.infer<typeof textPart>;
export type ReasoningPart = z.infer<typeof reasoningPart>;
export type ToolPart = z.infer<typeof toolPart>;
export type FilePart = z.infer<typeof filePart>;
export type Part = z.infer<typeof part>;

export const planTask = z.object({ id, title: z.string(), status: z.enum(["pending", "running", "completed"]) });
/** What an answer sets out to do, as a checklist. */
export const plan = z.array(planTask);
export type PlanTask = z.infer<typeof planTask>;

export const usage = z.object({
  inputTokens: z.int(),
  outputTokens: z.int(),
  /** Of the input, read from the provider's cache. */
  cachedInputTokens: z.int().optional(),
  /** Of the output, spent on reasoning. */
  reasoningTokens: z.int().optional(),
  /** In millionths of a US dollar, where the model's price is known. */
  costMicros: z.int().optional(),
});
export type Usage = z.infer<typeof usage>;

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
  /** The run that answers with, or was started or steered by, this message. */
  runId: id.nullable(),
  plan: plan.optional(),
  /** Of an answer that has ended: what it took. */
  usage: usage.optional(),
  /** Of an answer that failed: why, as its run says. */
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});
export type Message = z.infer<typeof message>;

export const runStatus = z.enum(["queued", "running", "waiting", "completed", "failed", "stopped"]);
export type RunStatus = z.infer<typeof runStatus>;

export const run = z.object({
  id,
  conversationId: id,
  status: runStatus,
  /** 1 for the first try; a takeover after a lost lease counts one more [R6]. */
  attempt: z.int(),
  model: z.string(),
  /** The message that it answers now, and the answer that it writes now: both change when it is steered. */
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

/** One journaled unit of a run [R5]: a call of a model, or of a tool. */
export const step = z.object({
  id,
  runId: id,
  index: z.int(),
  kind: z.enum(["model", "tool"]),
  /** The model that answered, or the tool. */
  name: z.string(),
  toolCallId: id.optional(),
  attempt: z.int(),
  status: z.enum(["running", "completed", "failed", "stopped"]),
  usage,
  startedAt: time,
  finishedAt: time.nullable(),
});
export type Step = z.infer<typeof step>;

export const approval = z.object({
  id,
  conversationId: id,
  runId: id,
  messageId: id,
  partIndex: z.int(),
  toolCallId: id,
  tool: z.string(),
  args: toolArgs,
  /**
   * `call`: may it run? `repeat`: it was interrupted and nobody knows whether it took effect: may it run again? [R5]
   */
  reason: z.enum(["call", "repeat"]),
  /** The consequence, in a plain sentence. */
  summary: z.string(),
  status: z.enum(["pending", "approved", "denied", "expired", "cancelled"]),
  requestedAt: time,
  /** When it is denied by itself. */
  expiresAt: time,
  decidedAt: time.nullable(),
  /** The user's id; null when time or a stop decided. */
  decidedBy: id.nullable(),
});
export type Approval = z.infer<typeof approval>;

/** Snapshot of `conversation:<id>` [W6]. Messages are oldest first; the streaming one has its text so far. */
export const conversationSnapshot = z.object({
  conversation,
  messages: z.array(message),
  /** Older messages exist: `conversation.get` with `before` reads them. */
  hasMore: z.boolean(),
  activeRun: run.optional(),
  queuedRuns: z.array(run),
  /** Those that wait for a decision. */
  approvals: z.array(approval),
});
export type ConversationSnapshot = z.infer<typeof conversationSnapshot>;

/** Snapshot of `user:<id>`: the newest conversations that are not in the archive, most recently active first. */
export const userSnapshot = z.object({
  conversations: z.array(conversation),
  nextCursor: z.string().nullable(),
  /** All that are pinned, however old; some are among `conversations` too. */
  pinned: z.array(conversation).optional(),
  /** All. */
  folders: z.array(folder).optional(),
});
export type UserSnapshot = z.infer<typeof userSnapshot>;

export const modelInfo = z.object({
  id: z.string(),
  provider: z.string(),
  name: z.string(),
  /** It is the built-in demo model; `hint` says which variable switches a real one on. */
  demo: z.boolean().optional(),
  hint: z.string().optional(),
  available: z.boolean(),
  /** Takes images. */
  images: z.boolean().optional(),
  /** Tokens that it can read at once. */
  contextTokens: z.int().optional(),
});
export type ModelInfo = z.infer<typeof modelInfo>;

/**
 * What a repeat of a call would do [R5]: `read` changes nothing; `transactional` changes only this server's database,
 * in the journal's own transaction; `idempotent` takes the call's id as its key; `unsafe` may do harm twice.
 */
export const toolEffect = z.enum(["read", "transactional", "idempotent", "unsafe"]);
export type ToolEffect = z.infer<typeof toolEffect>;
export const toolInfo = z.object({
  name: z.string(),
  description: z.string(),
  effect: toolEffect,
  /** `ask`: a person decides before each call, unless that person chose to allow it always. */
  approval: z.enum(["never", "ask"]),
  /** JSON Schema of its arguments. */
  parameters: z.record(z.string(), z.unknown()),
});
export type ToolInfo = z.infer<typeof toolInfo>;

/** UTF-16 units of a memory. */
const MAX_MEMORY = 2_000;

/**
 * A memory as it is written. Control characters become spaces, but for line breaks and tabs: each would be six bytes
 * on the wire, and a page of memories must fit a frame.
 */
export const memoryText: z.ZodType<string, string> = text(MAX_MEMORY)
  .transform((value) => value.replaceAll(/(?![\t\n])\p{Cc}/gu, " ").trim())
  .refine((value) => value !== "", { error: "not blank" });

/** UTF-16 units of a prompt and of its name; so many prompts one person may have. */
export const MAX_PROMPT = 4_000;
export const MAX_PROMPT_NAME = 60;
export const MAX_PROMPTS = 100;

/** As a memory is: a page of prompts must fit a frame. */
export const promptText: z.ZodType<string, string> = text(MAX_PROMPT)
  .transform((value) => value.replaceAll(/(?![\t\n])\p{Cc}/gu, " ").trim())
  .refine((value) => value !== "", { error: "not blank" });

/** A text that a person keeps to begin messages with. `{{…}}` in it is to be filled in. */
export const prompt = z.object({ id, name: z.string(), text: z.string(), createdAt: time });
export type Prompt = z.infer<typeof prompt>;

/** What the agent was told to remember about a user. */
export const memory = z.object({ id, text: z.string(), createdAt: time });
export type Memory = z.infer<typeof memory>;
