/** Notices when an answer ends or asks, in the open conversation and in those that were left while it was written. */
import { effect } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";
import type { Subscription } from "../../src/client/subscriptions.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import type { AppStore } from "./app.ts";
import type { ConversationStore } from "./conversation.ts";
import type { News } from "./notifier.ts";

/** Conversations that are listened to after they were left. */
const MAX_LEFT = 8;

interface Watched {
  readonly store: ConversationStore;
  readonly runId: string;
}

export function watchAnswers(app: AppStore, client: Client, tell: (news: News) => void): void {
  let watched: Watched | undefined;
  const asked = new Set<string>();
  /** By conversation. */
  const left = new Map<string, Subscription>();

  const titleOf = (conversationId: string): string =>
    app.list
      .peek()
      ?.items.peek()
      ?.find(({ id }) => id === conversationId)?.title ?? "";

  const forget = (conversationId: string): void => {
    left.get(conversationId)?.close();
    left.delete(conversationId);
  };

  const ask = (conversationId: string, id: string, said: string): void => {
    if (asked.has(id)) return;
    asked.add(id);
    tell({ kind: "decision", id, conversationId, title: titleOf(conversationId), said });
  };

  function ended({ store, runId }: Watched): void {
    const status = store.view.endedRuns.peek().get(runId)?.status;
    if (status !== "completed" && status !== "failed") return;
    const kind = status === "completed" ? "finished" : "failed";
    tell({ kind, id: runId, conversationId: store.id, title: titleOf(store.id), said: lastWords(store) });
  }

  function heard({ store, runId }: Watched, event: ParleyEvent): void {
    const about = { id: runId, conversationId: store.id, title: titleOf(store.id), said: "" };
    if ((event.type === "RUN_ERROR" || event.type === "RUN_FINISHED") && event.runId === runId) {
      forget(store.id);
      if (event.type === "RUN_ERROR") tell({ kind: "failed", ...about });
      else if (event.outcome?.type === "success") tell({ kind: "finished", ...about });
    } else if (event.type === "CUSTOM" && event.name === "approval.requested") {
      ask(store.id, event.value.approval.id, event.value.approval.summary);
    }
  }

  function leave(one: Watched): void {
    const { id } = one.store;
    if (left.size >= MAX_LEFT || left.has(id)) return;
    const subscription = client.subscribe(`conversation:${id}`, {
      // It ended between the two.
      snapshot: ({ activeRun }) => {
        if (activeRun?.id !== one.runId) forget(id);
      },
      event: (event) => heard(one, event),
      failed: () => forget(id),
    });
    left.set(id, subscription);
  }

  effect(() => {
    const store = app.current.value;
    const runId = store?.view.activeRun.value?.id;
    const before = watched;
    watched = store === undefined || runId === undefined ? undefined : { store, runId };
    if (store !== undefined) forget(store.id);
    if (before === undefined) return;
    if (before.store !== store) leave(before);
    else if (before.runId !== runId) ended(before);
  });
  effect(() => {
    const store = app.current.value;
    const approvals = store?.view.approvals.value.values() ?? [];
    for (const { id, status, summary } of approvals) if (status === "pending" && store) ask(store.id, id, summary);
  });
  effect(() => {
    if (app.user.value !== undefined) return;
    for (const id of left.keys()) forget(id);
  });
}

function lastWords(store: ConversationStore): string {
  const message = store.view.turns.peek().at(-1)?.messages.at(-1);
  const parts = message?.parts.peek().map((part) => part.peek()) ?? [];
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join(" ");
}
