/** The scripted server's list of conversations: order, archive, folders, deletion, search and links. */
import { ParleyError } from "../../src/protocol/errors.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import type { Conversation, Folder, Share, UserSnapshot } from "../../src/protocol/shapes.ts";
import { type PageThread, USER } from "./page-thread.ts";

type Params = Readonly<Record<string, unknown>>;

const PAGE = 50;

export class PageList {
  folders: Folder[] = [];
  readonly shares = new Map<string, { readonly share: Share; readonly token: string }>();
  readonly #threads: Map<string, PageThread>;
  readonly #deleted = new Map<string, { readonly thread: PageThread; readonly deletedAt: number }>();
  readonly #emit: (topic: string, event: ParleyEvent) => void;

  constructor(threads: Map<string, PageThread>, emit: (topic: string, event: ParleyEvent) => void) {
    this.#threads = threads;
    this.#emit = emit;
  }

  get snapshot(): UserSnapshot {
    const page = this.list({});
    const pinned = this.#all().filter(({ pinnedAt }) => pinnedAt !== undefined);
    return { ...page, pinned, folders: [...this.folders] };
  }

  list({ archived = false, folderId, cursor, limit = PAGE }: Params): {
    conversations: Conversation[];
    nextCursor: string | null;
  } {
    const all = this.#all().filter(
      (conversation) =>
        (conversation.archivedAt !== undefined) === archived &&
        (folderId === undefined || conversation.folderId === folderId),
    );
    const from = Number(cursor ?? 0);
    const to = from + Number(limit);
    return { conversations: all.slice(from, to), nextCursor: to < all.length ? String(to) : null };
  }

  /** Who has the link of a conversation may read it. */
  opens(conversationId: string, token: unknown): boolean {
    return this.shares.get(conversationId)?.token === token;
  }

  /** undefined: none of its methods. */
  call(method: string, params: Params, after: (() => void)[]): object | undefined {
    const id = String(params["conversationId"]);
    switch (method) {
      case "conversation.update":
        return this.#update(id, params, after);
      case "conversation.delete":
        this.delete(id, after);
        return {};
      case "conversation.restore":
        return this.#restore(id, after);
      case "conversation.purge":
        if (!this.#deleted.delete(id)) throw new ParleyError("NOT_FOUND");
        after.push(() => this.#tellDeleted(id));
        return {};
      case "conversation.listDeleted":
        return { deleted: this.#listDeleted(), nextCursor: null };
      case "conversation.search":
        return this.#search(String(params["query"]));
      case "folder.create":
        return this.#putFolder({ id: uuidv7(), name: String(params["name"]), createdAt: now() }, after);
      case "folder.rename": {
        const folder = this.folders.find((known) => known.id === params["folderId"]);
        if (folder === undefined) throw new ParleyError("NOT_FOUND");
        return this.#putFolder({ ...folder, name: String(params["name"]) }, after);
      }
      case "folder.delete":
        return this.#deleteFolder(String(params["folderId"]), after);
      case "share.get":
        return { share: this.shares.get(id)?.share ?? null };
      case "share.create": {
        const token = uuidv7().replaceAll("-", "").padEnd(43, "x");
        const share: Share = { id: uuidv7(), conversationId: id, createdAt: now() };
        this.shares.set(id, { share, token });
        return { share, shareToken: token };
      }
      case "share.revoke":
        this.shares.delete(id);
        return {};
      case "share.open": {
        const found = [...this.shares.values()].find(({ token }) => token === params["shareToken"]);
        if (found === undefined) throw new ParleyError("NOT_FOUND");
        const { conversation } = this.#thread(found.share.conversationId);
        return { share: found.share, sharedBy: { id: USER.id, name: "Robin" }, conversation };
      }
      default:
        return undefined;
    }
  }

  delete(id: string, after: (() => void)[]): void {
    this.#deleted.set(id, { thread: this.#thread(id), deletedAt: Date.now() });
    this.#threads.delete(id);
    after.push(() => this.#tellDeleted(id));
  }

  #tellDeleted(id: string): void {
    this.#tell({ type: "CUSTOM", name: "conversation.deleted", value: { conversationId: id } });
  }

  #all(): Conversation[] {
    const all = [...this.#threads.values()].map(({ conversation }) => conversation);
    return all.toSorted((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
  }

  #thread(id: string): PageThread {
    const thread = this.#threads.get(id);
    if (thread === undefined) throw new ParleyError("NOT_FOUND");
    return thread;
  }

  #tell(event: ParleyEvent): void {
    this.#emit(`user:${USER.id}`, event);
  }

  #update(id: string, { pinned, archived, folderId }: Params, after: (() => void)[]): object {
    const thread = this.#thread(id);
    const { pinnedAt, archivedAt, folderId: before, ...plain } = thread.conversation;
    const isPinned = pinned ?? (pinnedAt !== undefined && archived !== true);
    const isArchived = archived ?? archivedAt !== undefined;
    const folder = folderId === undefined ? before : (folderId as string | null);
    thread.conversation = {
      ...plain,
      ...(isPinned === true ? { pinnedAt: now() } : {}),
      ...(isArchived === true ? { archivedAt: now() } : {}),
      ...(folder == null ? {} : { folderId: folder }),
    };
    const { conversation } = thread;
    after.push(() => this.#tell({ type: "CUSTOM", name: "conversation.updated", value: { conversation } }));
    return { conversation };
  }

  #restore(id: string, after: (() => void)[]): object {
    const { thread } = this.#deleted.get(id) ?? {};
    if (thread === undefined) throw new ParleyError("NOT_FOUND");
    this.#deleted.delete(id);
    this.#threads.set(id, thread);
    const { conversation } = thread;
    after.push(() => this.#tell({ type: "CUSTOM", name: "conversation.restored", value: { conversation } }));
    return { conversation };
  }

  #listDeleted(): object[] {
    const iso = (at: number): string => new Date(at).toISOString();
    return [...this.#deleted.values()].toReversed().map(({ thread, deletedAt }) => ({
      conversation: thread.conversation,
      deletedAt: iso(deletedAt),
      removedAt: iso(deletedAt + 7 * 86_400_000),
    }));
  }

  #search(query: string): object {
    const words = query.toLowerCase().split(/\s+/);
    const has = (said: string): boolean => words.every((word) => said.toLowerCase().includes(word));
    const results = this.#all().flatMap((conversation) => {
      if (has(conversation.title)) return [{ conversation }];
      for (const { id: messageId, parts } of this.#thread(conversation.id).messages) {
        for (const part of parts) {
          if (part.type !== "text" || !has(part.text)) continue;
          const from = Math.max(0, part.text.toLowerCase().indexOf(words[0] ?? "") - 50);
          const text = part.text.slice(from, from + 220);
          const excerpt = { messageId, text, atStart: from === 0, atEnd: from + 220 >= part.text.length };
          return [{ conversation, excerpt }];
        }
      }
      return [];
    });
    return { results, nextCursor: null };
  }

  #putFolder(folder: Folder, after: (() => void)[]): object {
    this.folders = [...this.folders.filter(({ id }) => id !== folder.id), folder];
    after.push(() => this.#tell({ type: "CUSTOM", name: "folder.updated", value: { folder } }));
    return { folder };
  }

  #deleteFolder(folderId: string, after: (() => void)[]): object {
    this.folders = this.folders.filter(({ id }) => id !== folderId);
    after.push(() => this.#tell({ type: "CUSTOM", name: "folder.deleted", value: { folderId } }));
    return {};
  }
}

const now = (): string => new Date().toISOString();
