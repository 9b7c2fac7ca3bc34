/** Rows of the protocol where a test cares for a few of their fields. */
import type { Approval, Conversation, Message, Part, Run, Step, ToolPart } from "../../src/protocol/shapes.ts";

export const TIME = "2026-01-01T00:00:00.000Z";

/** Conversation "c", empty. */
export const aConversation = (fields: Partial<Conversation> = {}): Conversation => ({
  id: "c",
  title: "",
  model: null,
  headMessageId: null,
  createdAt: TIME,
  updatedAt: TIME,
  ...fields,
});

/** The first attempt of run "r" in conversation "c". */
export const aRun = (fields: Partial<Run> = {}): Run => ({
  id: "r",
  conversationId: "c",
  status: "running",
  attempt: 1,
  model: "demo",
  userMessageId: "q",
  assistantMessageId: "a",
  position: 1,
  stopRequested: false,
  usage: { inputTokens: 0, outputTokens: 0 },
  error: null,
  createdAt: TIME,
  startedAt: TIME,
  finishedAt: null,
  ...fields,
});

/** A whole answer without text, of no run. */
export const aMessage = (fields: Partial<Message> = {}): Message => ({
  id: "a",
  conversationId: "c",
  parentId: null,
  role: "assistant",
  author: "demo",
  parts: [],
  status: "complete",
  createdAt: TIME,
  runId: null,
  ...fields,
});

/** A call that nobody has run yet. */
export const aToolPart = (fields: Partial<ToolPart> = {}): ToolPart => ({
  type: "tool",
  toolCallId: "t",
  name: "search",
  args: {},
  status: "pending",
  ...fields,
});

/** A question to the person, about part 0 of answer "a". */
export const anApproval = (fields: Partial<Approval> = {}): Approval => ({
  id: "p",
  conversationId: "c",
  runId: "r",
  messageId: "a",
  partIndex: 0,
  toolCallId: "t",
  tool: "files_delete",
  args: {},
  reason: "call",
  summary: "Deletes a file.",
  status: "pending",
  requestedAt: TIME,
  expiresAt: TIME,
  decidedAt: null,
  decidedBy: null,
  ...fields,
});

/** The text of a part that has one, "" of any other. */
export const textOf = (part: Part | null | undefined): string =>
  part?.type === "text" || part?.type === "reasoning" ? part.text : "";

/** How long a part was before it was cut; undefined where it is whole. */
export const wholeLength = (part: Part | null | undefined): number | undefined =>
  part === null || part === undefined || part.type === "file" ? undefined : part.length;

/** A call of the model that failed just now. */
export function aStep(fields: Pick<Step, "id" | "runId"> & Partial<Step>): Step {
  const now = new Date().toISOString();
  return {
    index: 0,
    kind: "model",
    name: "demo",
    attempt: 1,
    status: "failed",
    usage: { inputTokens: 0, outputTokens: 0 },
    startedAt: now,
    finishedAt: now,
    ...fields,
  };
}
