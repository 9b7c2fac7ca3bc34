/** A store of conversations in memory, as much as delivery asks of it. Rows are whatever the test puts there. */
import type { ConversationStore, MessagePage, Scope, Store } from "../../src/ports/store.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type {
  Conversation,
  ConversationSnapshot,
  Message,
  MessageStatus,
  Part,
  Run,
} from "../../src/protocol/shapes.ts";
import { aConversation, aMessage, aRun } from "./shapes.fake.ts";

export const scopeOf = (userId: string): Scope => ({ tenantId: "tenant", userId });

export const message = (id: string, status: MessageStatus, texts: readonly string[], conversationId = "c"): Message =>
  aMessage({ id, conversationId, parts: texts.map((text): Part => ({ type: "text", text })), status });

export const run = (id: string, conversationId: string, assistantMessageId: string): Run =>
  aRun({ id, conversationId, assistantMessageId });

export interface FakeConversation {
  readonly conversation: Conversation;
  readonly userId: string;
  fence: number;
  messages: Message[];
  activeRun: Run | undefined;
}

export class FakeConversations {
  readonly rows = new Map<string, FakeConversation>();
  readonly calls: string[] = [];
  /** Decides when a read happens: a test may delay or fail it. */
  when: <T>(read: () => T) => Promise<T> = async (read) => read();

  add(id: string, userId: string): FakeConversation {
    const conversation = aConversation({ id, title: id });
    const row: FakeConversation = { conversation, userId, fence: 1, messages: [], activeRun: undefined };
    this.rows.set(id, row);
    return row;
  }

  /** As a whole store; a person has no folders, and everything else fails. */
  get store(): Store {
    const conversations = this.conversations();
    return new Proxy({} as Store, {
      get: (_target, name) => {
        if (name === "conversations") return conversations;
        if (name === "folders") return { list: () => Promise.resolve([]) };
        throw new Error(`this fake has no ${String(name)}`);
      },
    });
  }

  private conversations(): ConversationStore {
    const unused = (): never => {
      throw new Error("this fake only reads");
    };
    return {
      create: unused,
      rename: unused,
      update: unused,
      delete: unused,
      restore: unused,
      purge: unused,
      listDeleted: unused,
      selectBranch: unused,
      fence: unused,
      list: async (scope, { limit, pinned }) => {
        if (pinned === true) return { conversations: [], nextCursor: null };
        return this.read("list", () => {
          const all = [...this.rows.values()]
            .filter(({ userId }) => userId === scope.userId)
            .map(({ conversation }) => conversation);
          return { conversations: all.slice(0, limit), nextCursor: all.length > limit ? "more" : null };
        });
      },
      find: (scope, id) =>
        this.read("find", () => {
          const row = this.visible(scope, id);
          return row === null ? null : { conversation: row.conversation, fence: row.fence };
        }),
      messages: (scope, id, { before, limit }) =>
        this.read("messages", (): MessagePage | null => {
          const row = this.visible(scope, id);
          if (row === null) return null;
          const end =
            before === undefined ? row.messages.length : row.messages.findIndex((found) => found.id === before);
          const from = Math.max(0, end - limit);
          return { conversation: row.conversation, messages: row.messages.slice(from, end), hasMore: from > 0 };
        }),
      snapshot: (scope, id) =>
        this.read("snapshot", (): ConversationSnapshot | null => {
          const row = this.visible(scope, id);
          if (row === null) return null;
          const { conversation, messages, activeRun } = row;
          const active = activeRun === undefined ? {} : { activeRun };
          return { conversation, messages: [...messages], hasMore: false, ...active, queuedRuns: [], approvals: [] };
        }),
      part: (scope, messageId, partIndex) =>
        this.read("part", () => {
          for (const row of this.rows.values()) {
            const found = row.messages.find(({ id }) => id === messageId);
            if (found === undefined || row.userId !== scope.userId) continue;
            return { conversationId: row.conversation.id, status: found.status, part: found.parts[partIndex] ?? null };
          }
          return null;
        }),
    };
  }

  private read<T>(name: string, read: () => T): Promise<T> {
    this.calls.push(name);
    return this.when(read);
  }

  private visible(scope: Scope, id: string): FakeConversation | null {
    const row = this.rows.get(id);
    return row !== undefined && row.userId === scope.userId ? row : null;
  }
}

export const unavailable = (): ParleyError => new ParleyError("UNAVAILABLE");
