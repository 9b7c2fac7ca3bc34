/**
 * What a conversation becomes with what its reader is sent: a pure function.
 *
 * Meeting an event twice, or after a snapshot that knows it already, changes nothing in the end [W4]:
 * - a message that is complete stays as it is, whatever deltas come late;
 * - a run that ended stays ended, a decision stands, a tool call never goes back;
 * - what grows is placed by offset [W5].
 *
 * What a newer server says and this client does not know is ignored.
 */
import type { ParleyEvent } from "../protocol/events.ts";
import type { ConversationSnapshot, Message, ToolPart } from "../protocol/shapes.ts";
import { end, grow, putProgress, putRest, putTool, putWhole, reset, start } from "./message-parts.ts";
import { sameJson } from "./same-json.ts";
import { withApproval } from "./transcript-approvals.ts";
import {
  change,
  fromSnapshot,
  type Reduced,
  same,
  stream,
  upsert,
  withConversation,
  withHead,
  withOlder,
  withPending,
} from "./transcript-messages.ts";
import { spoken, started, takenOver, withNotice, withRun, withStep } from "./transcript-runs.ts";
import { messageOf, type PendingAnswer, type PendingMessage, type Transcript } from "./transcript.ts";

export type TranscriptInput =
  | { readonly type: "snapshot"; readonly snapshot: ConversationSnapshot }
  | { readonly type: "event"; readonly event: ParleyEvent }
  /** All of this conversation that is in the outbox, oldest first. */
  | {
      readonly type: "pending";
      readonly messages: readonly PendingMessage[];
      readonly answers?: readonly PendingAnswer[];
    }
  /** A page of older messages, oldest first. */
  | { readonly type: "older"; readonly messages: readonly Message[]; readonly hasMore: boolean }
  /** What `message.read` gave of a text that was cut. */
  | {
      readonly type: "rest";
      readonly messageId: string;
      readonly partIndex: number;
      readonly offset: number;
      readonly text: string;
      readonly length: number;
    }
  /** All that `message.read` gave of a tool call that was cut. */
  | { readonly type: "whole"; readonly messageId: string; readonly partIndex: number; readonly part: ToolPart };

export function reduce(state: Transcript, input: TranscriptInput): Reduced {
  switch (input.type) {
    case "snapshot":
      return same(fromSnapshot(state, input.snapshot));
    case "event":
      return applyEvent(state, input.event);
    case "pending":
      return same(withPending(state, input.messages, input.answers ?? []));
    case "older":
      return same(withOlder(state, input.messages, input.hasMore));
    case "rest":
      return same(change(state, input.messageId, (message) => putRest(message, input)));
    case "whole":
      return same(change(state, input.messageId, (message) => putWhole(message, input.partIndex, input.part)));
  }
}

function applyEvent(state: Transcript, event: ParleyEvent): Reduced {
  switch (event.type) {
    case "TEXT_MESSAGE_CONTENT":
    case "REASONING_MESSAGE_CONTENT":
    case "TOOL_CALL_ARGS":
      return spoken(stream(state, event.messageId, (message) => grow(message, event)));
    case "TEXT_MESSAGE_START":
    case "REASONING_MESSAGE_START":
    case "TOOL_CALL_START":
      return spoken(stream(state, event.messageId, (message) => start(message, event)));
    case "TEXT_MESSAGE_END":
    case "REASONING_MESSAGE_END":
    case "TOOL_CALL_END":
      return stream(state, event.messageId, (message) => end(message, event));
    case "TOOL_CALL_RESULT":
      return tool(state, event.messageId, event.partIndex, event.part);
    case "RUN_STARTED":
      return same(started(state, event.run, event.message));
    case "RUN_FINISHED":
    case "RUN_ERROR":
      return same(withRun(state, event.run));
    case "STEP_STARTED":
    case "STEP_FINISHED":
      return same(withStep(state, event.step));
    case "CUSTOM":
      return applyCustom(state, event);
    default:
      return same(state);
  }
}

function applyCustom(state: Transcript, event: Extract<ParleyEvent, { readonly type: "CUSTOM" }>): Reduced {
  switch (event.name) {
    case "message.created":
    case "message.updated":
      return same(upsert(state, event.value.message));
    case "message.reset": {
      const { messageId, runId, attempt } = event.value;
      const { state: after, gap } = stream(state, messageId, (message) => reset(message, event.value));
      return { state: gap ? after : takenOver(after, runId, attempt), gap };
    }
    case "tool.updated":
      return tool(state, event.value.messageId, event.value.partIndex, event.value.part);
    case "tool.progress":
      return same(change(state, event.value.messageId, (message) => putProgress(message, event.value)));
    case "approval.requested":
    case "approval.decided":
      return same(withApproval(state, event.value.approval));
    case "plan.updated": {
      const { messageId, plan } = event.value;
      return same(
        change(state, messageId, (message) => (sameJson(message.plan, plan) ? message : { ...message, plan })),
      );
    }
    case "branch.selected":
      return same(withHead(state, event.value.headMessageId));
    case "run.notice":
      return same(withNotice(state, event.value));
    case "run.updated":
      return same(withRun(state, event.value.run));
    case "conversation.created":
    case "conversation.renamed":
    case "conversation.updated":
      return same(withConversation(state, event.value.conversation));
    // Of a list of conversations.
    case "conversation.deleted":
    case "conversation.restored":
    case "folder.updated":
    case "folder.deleted":
    default:
      return same(state);
  }
}

/** A call's part as it is now. One of a message that has ended is put where it stands, or nowhere. */
function tool(state: Transcript, messageId: string, partIndex: number, part: ToolPart): Reduced {
  if (state.live.has(messageId)) return stream(state, messageId, (message) => putTool(message, partIndex, part));
  if (messageOf(state, messageId) === undefined) return { state, gap: true };
  return same(
    change(state, messageId, (message) => {
      const edited = putTool(message, partIndex, part);
      return edited === "gap" ? message : edited;
    }),
  );
}
