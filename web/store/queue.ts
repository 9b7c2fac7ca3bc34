/** What was said while an answer is being written: what waits for its turn, what joins the answer, what is at once. */
import type { Delivery } from "../../src/client/outbox.ts";
import { messageOf, type PendingMessage, type Transcript } from "../../src/client/transcript.ts";
import type { Message, Run } from "../../src/protocol/shapes.ts";

/** A message that is not part of the conversation yet. */
export interface Queued {
  readonly id: string;
  readonly text: string;
  /** `steer`: it joins the answer at its next step. */
  readonly how: "queue" | "steer";
  /** The run that will answer it, which can be stopped; undefined where none will, or nobody knows yet. */
  readonly runId: string | undefined;
  /** Of one that the server has not shown yet. */
  readonly delivery: Delivery | undefined;
}

export interface Queue {
  /** In the order in which they will be answered. */
  readonly queued: readonly Queued[];
  /** Ids of pending messages that wait for nobody, to be shown after the branch. */
  readonly ahead: readonly string[];
}

/** `interrupts`: does this pending message stop the run that is active? */
export function queueOf(state: Transcript, interrupts: (id: string) => boolean): Queue {
  const queued: Queued[] = state.waiting.flatMap((id) => {
    const message = messageOf(state, id);
    return message === undefined ? [] : waitingMessage(state, message);
  });
  const busy = state.activeRun !== undefined || state.queuedRuns.length > 0;
  const ahead: string[] = [];
  for (const message of state.pending) {
    if (waits(message, busy) && !interrupts(message.id)) queued.push(pendingMessage(state, message));
    else ahead.push(message.id);
  }
  // What joins the answer comes before what waits for its end.
  return { queued: queued.toSorted((a, b) => Number(b.how === "steer") - Number(a.how === "steer")), ahead };
}

/** Nothing, where no run will answer it: it was taken back. */
function waitingMessage(state: Transcript, message: Message): Queued[] {
  const shown = { id: message.id, text: textOf(message), delivery: undefined };
  const run = runOf(state, message.id);
  if (run !== undefined) return [{ ...shown, how: "queue", runId: run.id }];
  const joins = state.activeRun !== undefined && message.runId === state.activeRun.id;
  return joins ? [{ ...shown, how: "steer", runId: undefined }] : [];
}

/** The queued run that answers the message, or one that follows it and waits too. */
function runOf(state: Transcript, messageId: string): Run | undefined {
  const waiting = new Set(state.waiting);
  for (let id: string | undefined = messageId; id !== undefined;) {
    const question: string = id;
    const run = state.queuedRuns.find(({ userMessageId }) => userMessageId === question);
    if (run !== undefined) return run;
    id = state.children.get(question)?.find((child) => waiting.has(child));
  }
  return undefined;
}

function waits({ delivery, editOf }: PendingMessage, busy: boolean): boolean {
  switch (delivery.state) {
    case "refused":
      return false;
    case "accepted":
      return delivery.run !== "running";
    case "queued":
    case "sending":
      return busy && editOf === undefined;
  }
}

function pendingMessage(state: Transcript, { id, text, steers, delivery }: PendingMessage): Queued {
  const accepted = delivery.state === "accepted" ? delivery : undefined;
  const joins = accepted === undefined ? steers && state.activeRun !== undefined : accepted.run === "steered";
  return joins
    ? { id, text, how: "steer", runId: undefined, delivery }
    : { id, text, how: "queue", runId: accepted?.runId, delivery };
}

const textOf = ({ parts }: Message): string =>
  parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n");
