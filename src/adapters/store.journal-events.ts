/** What a commit of a run's journal announces: a function of what was written. */
import type { Announcement, JournalWrite, Lease, StoredApproval, StoredStep } from "../ports/store.ts";
import type { ParleyEvent } from "../protocol/events.ts";
import type { MessageStatus, Part, Run, Step } from "../protocol/shapes.ts";
import {
  approvalDecided,
  approvalRequested,
  onConversation,
  runUpdated,
  stepEvents,
  textEnds,
  toolEvent,
} from "./store.announce.ts";
import { modelOf, toApproval } from "./store.rows.ts";

export interface Written {
  readonly lease: Lease;
  /** As it is now. */
  readonly run: Run;
  /** Of the answer. */
  readonly status: MessageStatus;
  readonly parts: readonly Part[];
  readonly own: { readonly begunSteps: readonly string[] };
  readonly write: Pick<JournalWrite, "steps" | "changed">;
  readonly asked: readonly StoredApproval[];
  readonly cancelled: readonly StoredApproval[];
}

/** Steps, parts, questions, then the end of the answer and of the run, or that it waits. */
export function eventsOf(written: Written): Announcement[] {
  const { lease, run, status, parts, own, write, asked, cancelled } = written;
  const { assistantMessageId: messageId } = run;
  const on = (event: ParleyEvent): Announcement => onConversation(lease, lease.conversationId, event);
  return [
    ...write.steps.flatMap((step) => stepEvents(publicStep(step), own.begunSteps.includes(step.id)).map(on)),
    ...[...new Set(write.changed)].flatMap((index) => {
      const part = parts[index];
      return part?.type === "tool" ? [on(toolEvent(messageId, index, part))] : [];
    }),
    ...asked.map((approval) => approvalRequested(lease, toApproval({ ...approval, status: "pending" }))),
    ...cancelled.map((approval) => approvalDecided(lease, toApproval(approval))),
    ...(status === "streaming" ? [] : textEnds(messageId, parts, status).map(on)),
    ...lastEvents(lease, run),
  ];
}

/** Without what is nobody's business but the provider's and the owner's. */
function publicStep(stored: StoredStep): Step {
  const { continuation: _continuation, answer: _answer, call: _call, ...step } = stored;
  return step;
}

function lastEvents(lease: Lease, run: Run): Announcement[] {
  const { conversationId, id: runId, usage } = run;
  const about = { threadId: conversationId, runId, run };
  switch (run.status) {
    case "queued":
    case "running":
      return [];
    case "waiting":
      return [runUpdated(lease, run)];
    case "failed": {
      const { code, message } = run.error ?? { code: "INTERNAL", message: "" };
      return [onConversation(lease, conversationId, { type: "RUN_ERROR", ...about, message, code })];
    }
    case "completed":
    case "stopped": {
      const { inputTokens, outputTokens } = usage;
      return [
        onConversation(lease, conversationId, {
          type: "RUN_FINISHED",
          ...about,
          outcome: { type: run.status === "completed" ? "success" : "cancelled" },
          usage: [{ ...modelOf(run.model), inputTokens, outputTokens }],
        }),
      ];
    }
  }
}
