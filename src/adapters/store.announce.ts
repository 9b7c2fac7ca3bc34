/** Events as rows of the outbox, each within what an event may have [W11]. */
import { sql } from "drizzle-orm";
import type { Announcement, Scope } from "../ports/store.ts";
import { bareToolPart } from "../protocol/cut-part.ts";
import type { ParleyEvent } from "../protocol/events.ts";
import { uuidv7 } from "../protocol/id.ts";
import type { Approval, Conversation, Message, Part, Run, Step, ToolPart } from "../protocol/shapes.ts";
import type { Transaction } from "./database.ts";
import { statement, toJson } from "./statement.ts";
import { cutApproval, cutMessage, fittingLength, fits } from "./store.page.ts";

/** Bytes that a message, or a part, or an approval has in an event; an event has 64 KiB. The rest is read by method. */
export const MESSAGE_IN_EVENT = 32 * 1024;
/** Bytes of a tool's answer as text, beside its part. */
const CONTENT_IN_EVENT = 24 * 1024;

interface Tenant {
  readonly tenantId: string;
}

const announcement = (tenantId: string, topic: string, event: ParleyEvent): Announcement => ({
  id: uuidv7(),
  tenantId,
  topic,
  event,
});

export const onConversation = ({ tenantId }: Tenant, conversationId: string, event: ParleyEvent): Announcement =>
  announcement(tenantId, `conversation:${conversationId}`, event);

export const onUser = ({ tenantId, userId }: Scope, event: ParleyEvent): Announcement =>
  announcement(tenantId, `user:${userId}`, event);

/** Appends `rows`, the announcements' JSON, in their order; `only` may hold a `where` or be empty. */
export const insertOutbox = (rows: unknown, only = sql.empty()) => sql`
  insert into outbox (id, tenant_id, topic, event, created_at)
  select a.id, a."tenantId", a.topic, a.event, now()
  from rows from (jsonb_to_recordset(${rows}::jsonb) as (id uuid, "tenantId" uuid, topic text, event jsonb))
    with ordinality as a(id, "tenantId", topic, event, n)
  ${only}
  order by a.n`;

const insertAnnouncements = statement<{ announcements: string }, unknown>("announce", (p) =>
  insertOutbox(p.announcements),
);

/** Writes them, and answers them. */
export async function announce<Rows extends readonly Announcement[]>(tx: Transaction, rows: Rows): Promise<Rows> {
  if (rows.length > 0) await tx.run(insertAnnouncements, { announcements: toJson(rows) });
  return rows;
}

// ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────

export const runUpdated = (tenant: Tenant, run: Run): Announcement =>
  onConversation(tenant, run.conversationId, { type: "CUSTOM", name: "run.updated", value: { run } });

export const runStarted = (tenant: Tenant, run: Run, message: Message): Announcement =>
  onConversation(tenant, run.conversationId, {
    type: "RUN_STARTED",
    threadId: run.conversationId,
    runId: run.id,
    run,
    message,
  });

export const messageCreated = (tenant: Tenant, message: Message): Announcement =>
  onConversation(tenant, message.conversationId, {
    type: "CUSTOM",
    name: "message.created",
    value: { message: cutMessage(message, MESSAGE_IN_EVENT) },
  });

export const messageUpdated = (tenant: Tenant, message: Message): Announcement =>
  onConversation(tenant, message.conversationId, {
    type: "CUSTOM",
    name: "message.updated",
    value: { message: cutMessage(message, MESSAGE_IN_EVENT) },
  });

export const branchSelected = (tenant: Tenant, conversationId: string, headMessageId: string): Announcement =>
  onConversation(tenant, conversationId, {
    type: "CUSTOM",
    name: "branch.selected",
    value: { conversationId, headMessageId },
  });

export const approvalRequested = (tenant: Tenant, approval: Approval): Announcement =>
  onConversation(tenant, approval.conversationId, {
    type: "CUSTOM",
    name: "approval.requested",
    value: { approval: cutApproval(approval, MESSAGE_IN_EVENT) },
  });

export const approvalDecided = (tenant: Tenant, approval: Approval): Announcement =>
  onConversation(tenant, approval.conversationId, {
    type: "CUSTOM",
    name: "approval.decided",
    value: { approval: cutApproval(approval, MESSAGE_IN_EVENT) },
  });

/** Those who read the conversation hear of the title that its first message gives it. */
export function renamed(scope: Scope, before: { readonly title: string }, conversation: Conversation): Announcement[] {
  if (conversation.title === before.title) return [];
  return [
    onConversation(scope, conversation.id, { type: "CUSTOM", name: "conversation.renamed", value: { conversation } }),
  ];
}

/** The step begins and, where it is over, ends: `known` says that its beginning was announced. */
export function stepEvents(step: Step, known: boolean): ParleyEvent[] {
  const { runId } = step;
  const events: ParleyEvent[] = [];
  if (!known) {
    const begun: Step = {
      ...step,
      status: "running",
      usage: { inputTokens: 0, outputTokens: 0 },
      finishedAt: null,
    };
    events.push({ type: "STEP_STARTED", stepName: step.name, runId, step: begun });
  }
  if (step.status !== "running") events.push({ type: "STEP_FINISHED", stepName: step.name, runId, step });
  return events;
}

/** A tool call's part has changed: its result where it has ended, else how it stands. */
export function toolEvent(messageId: string, partIndex: number, whole: ToolPart): ParleyEvent {
  const part = fits(whole, MESSAGE_IN_EVENT) ? whole : bareToolPart(whole);
  switch (whole.status) {
    case "streaming":
    case "pending":
    case "waiting":
    case "running":
      return { type: "CUSTOM", name: "tool.updated", value: { messageId, partIndex, part } };
    case "completed":
    case "failed":
    case "denied":
    case "stopped": {
      const told = whole.error ?? JSON.stringify(whole.result ?? null);
      return {
        type: "TOOL_CALL_RESULT",
        messageId,
        toolCallId: whole.toolCallId,
        role: "tool",
        content: told.slice(0, fittingLength(told, CONTENT_IN_EVENT)),
        partIndex,
        part,
      };
    }
  }
}

/** The ends of the texts of an answer. */
export const textEnds = (messageId: string, parts: readonly Part[], status: Message["status"]): ParleyEvent[] =>
  parts.flatMap((part, partIndex): ParleyEvent[] => {
    switch (part.type) {
      case "text":
        return [{ type: "TEXT_MESSAGE_END", messageId, partIndex, length: part.text.length, status }];
      case "reasoning":
        return [{ type: "REASONING_MESSAGE_END", messageId, partIndex, length: part.text.length }];
      case "tool":
      case "file":
        return [];
    }
  });
