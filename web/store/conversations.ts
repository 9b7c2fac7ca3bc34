import { signal } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";
import type { Subscription } from "../../src/client/subscriptions.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type { Conversation } from "../../src/protocol/shapes.ts";

/** With `changes` put in; most recently active first. What is known to be newer stays. */
export function upserted(list: readonly Conversation[], changes: readonly Conversation[]): readonly Conversation[] {
  const byId = new Map(list.map((conversation) => [conversation.id, conversation]));
  for (const change of changes) {
    const known = byId.get(change.id);
    if (known === undefined || change.updatedAt >= known.updatedAt) byId.set(change.id, change);
  }
  return [...byId.values()].toSorted((a, b) =>
    a.updatedAt === b.updatedAt ? (a.id < b.id ? 1 : -1) : a.updatedAt < b.updatedAt ? 1 : -1,
  );
}

/** The list in the sidebar, kept up to date by the user's topic. */
export class ConversationList {
  /** Undefined until it is known. */
  readonly items = signal<readonly Conversation[] | undefined>(undefined);
  readonly hasMore = signal(false);
  readonly #client: Client;
  readonly #subscription: Subscription;
  #cursor: string | null = null;
  #loading = false;

  constructor(client: Client, userId: string) {
    this.#client = client;
    this.#subscription = client.subscribe(`user:${userId}`, {
      snapshot: ({ conversations, nextCursor }) => {
        this.items.value = upserted(conversations, []);
        this.#moreFrom(nextCursor);
      },
      event: (event) => {
        if (event.type !== "CUSTOM") return;
        switch (event.name) {
          case "conversation.created":
          case "conversation.renamed":
          case "conversation.updated":
            return this.#put([event.value.conversation]);
          case "message.created":
          case "message.updated":
          case "message.reset":
          case "run.updated":
          case "run.notice":
          case "tool.updated":
          case "tool.progress":
          case "approval.requested":
          case "approval.decided":
          case "plan.updated":
          case "branch.selected":
            return;
        }
      },
    });
  }

  #put(changes: readonly Conversation[]): void {
    this.items.value = upserted(this.items.value ?? [], changes);
  }

  #moreFrom(cursor: string | null): void {
    this.#cursor = cursor;
    this.hasMore.value = cursor !== null;
  }

  async loadMore(): Promise<void> {
    const cursor = this.#cursor;
    if (cursor === null || this.#loading) return;
    this.#loading = true;
    try {
      const { conversations, nextCursor } = await this.#client.call("conversation.list", { cursor, limit: 50 });
      // A snapshot may have come meanwhile, and with it another place to go on from.
      if (this.#cursor !== cursor) return;
      this.#put(conversations);
      this.#moreFrom(nextCursor);
    } finally {
      this.#loading = false;
    }
  }

  /** Shown at once, and taken back when the server refuses. Rejects with a ParleyError then. */
  async rename(id: string, title: string): Promise<void> {
    const before = this.items.value?.find((conversation) => conversation.id === id);
    const next = title.trim();
    if (before === undefined || next === "" || next === before.title) return;
    this.#put([{ ...before, title: next }]);
    try {
      const { conversation } = await this.#client.call("conversation.rename", { conversationId: id, title: next });
      this.#put([conversation]);
    } catch (error) {
      this.#put([before]);
      throw error instanceof ParleyError ? error : new ParleyError("INTERNAL", { cause: error });
    }
  }

  close(): void {
    this.#subscription.close();
  }
}
