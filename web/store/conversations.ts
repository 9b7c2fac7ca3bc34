import { computed, type ReadonlySignal, signal } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";
import type { Subscription } from "../../src/client/subscriptions.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import type { Conversation, Folder } from "../../src/protocol/shapes.ts";

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

/** What the pages of `conversation.list` are asked for. */
type Filter = { readonly archived?: true } | { readonly folderId: string };

const PAGE = 50;

/** Pages of one list: where it goes on. */
class Pages {
  readonly hasMore = signal(false);
  readonly #client: Client;
  readonly #filter: Filter;
  #cursor: string | null = null;
  #loading = false;

  constructor(client: Client, filter: Filter = {}) {
    this.#client = client;
    this.#filter = filter;
  }

  goOnFrom(cursor: string | null): void {
    this.#cursor = cursor;
    this.hasMore.value = cursor !== null;
  }

  /** The next page, or the first; nothing when there is none, or one is on its way. */
  async load(from: "first" | "next"): Promise<readonly Conversation[]> {
    const cursor = this.#cursor;
    if (this.#loading || (from === "next" && cursor === null)) return [];
    this.#loading = true;
    try {
      const after = from === "first" || cursor === null ? {} : { cursor };
      const page = await this.#client.call("conversation.list", { ...this.#filter, ...after, limit: PAGE });
      // A snapshot may have come meanwhile, and with it another place to go on from.
      if (this.#cursor === cursor) this.goOnFrom(page.nextCursor);
      return page.conversations;
    } finally {
      this.#loading = false;
    }
  }
}

/** The conversations of a person as the sidebar lists them, kept up to date by the user's topic. */
export class ConversationList {
  /** All that are known, but for those in the archive. Undefined until it is known which there are. */
  readonly items = signal<readonly Conversation[] | undefined>(undefined);
  readonly folders = signal<readonly Folder[]>([]);
  /** What is known of the archive; undefined until somebody looks into it. */
  readonly archive = signal<readonly Conversation[] | undefined>(undefined);
  readonly hasMore: ReadonlySignal<boolean>;
  readonly hasMoreArchived: ReadonlySignal<boolean>;
  /** Folders whose conversations are shown. */
  readonly openFolders = signal<ReadonlySet<string>>(new Set());
  /** How often something was deleted, here or anywhere. */
  readonly deletions = signal(0);
  /** Called when a conversation was deleted, here or anywhere. */
  onDeleted: (id: string) => void = () => undefined;
  readonly #client: Client;
  readonly #subscription: Subscription;
  readonly #recent: Pages;
  readonly #archived: Pages;
  readonly #ofFolder = new Map<string, Pages>();
  /** What is said late of one of these is void. */
  readonly #deleted = new Set<string>();

  constructor(client: Client, userId: string) {
    this.#client = client;
    this.#recent = new Pages(client);
    this.#archived = new Pages(client, { archived: true });
    this.hasMore = computed(() => this.#recent.hasMore.value);
    this.hasMoreArchived = computed(() => this.#archived.hasMore.value);
    this.#subscription = client.subscribe(`user:${userId}`, {
      snapshot: ({ conversations, nextCursor, pinned = [], folders = [] }) => {
        this.#deleted.clear();
        this.folders.value = folders;
        this.items.value = upserted(conversations, pinned);
        this.#recent.goOnFrom(nextCursor);
        this.#ofFolder.clear();
        // What else was known may be old.
        const archived = this.archive.value !== undefined;
        this.archive.value = undefined;
        if (archived) this.#quietly(this.loadArchive());
        for (const id of this.openFolders.value) this.#quietly(this.loadFolder(id));
      },
      event: (event) => this.#apply(event),
    });
  }

  #apply(event: ParleyEvent): void {
    if (event.type !== "CUSTOM") return;
    switch (event.name) {
      case "conversation.created":
      case "conversation.renamed":
      case "conversation.updated":
        return this.put([event.value.conversation]);
      case "conversation.restored":
        this.#deleted.delete(event.value.conversation.id);
        return this.put([event.value.conversation]);
      case "conversation.deleted": {
        const { conversationId } = event.value;
        this.remove(conversationId);
        return this.onDeleted(conversationId);
      }
      case "folder.updated":
        return this.putFolder(event.value.folder);
      case "folder.deleted":
        return this.removeFolder(event.value.folderId);
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
  }

  find(id: string): Conversation | undefined {
    const has = ({ id: other }: Conversation): boolean => other === id;
    return this.items.value?.find(has) ?? this.archive.value?.find(has);
  }

  /** Each where it belongs: in the list, or in the archive if that is known. */
  put(changes: readonly Conversation[]): void {
    const living = changes.filter(({ id }) => !this.#deleted.has(id));
    const archived = living.filter(({ archivedAt }) => archivedAt !== undefined);
    const others = living.filter(({ archivedAt }) => archivedAt === undefined);
    this.items.value = upserted(without(this.items.value ?? [], archived), others);
    const { value: archive } = this.archive;
    if (archive !== undefined) this.archive.value = upserted(without(archive, others), archived);
  }

  remove(id: string): void {
    this.#deleted.add(id);
    this.deletions.value++;
    const gone = [{ id }];
    if (this.items.value !== undefined) this.items.value = without(this.items.value, gone);
    if (this.archive.value !== undefined) this.archive.value = without(this.archive.value, gone);
  }

  /** Its deletion was refused, or taken back. */
  bringBack(conversation: Conversation): void {
    this.#deleted.delete(conversation.id);
    this.put([conversation]);
  }

  putFolder(folder: Folder): void {
    this.folders.value = [...this.folders.value.filter(({ id }) => id !== folder.id), folder];
  }

  removeFolder(folderId: string): void {
    this.folders.value = this.folders.value.filter(({ id }) => id !== folderId);
  }

  loadMore(): Promise<void> {
    return this.#load(this.#recent, "next");
  }

  async loadArchive(): Promise<void> {
    const first = this.archive.value === undefined;
    const conversations = await this.#archived.load(first ? "first" : "next");
    this.archive.value ??= [];
    this.put(conversations);
  }

  /** All of a folder's conversations, however old, in pages. */
  loadFolder(id: string): Promise<void> {
    const known = this.#ofFolder.get(id);
    const pages = known ?? new Pages(this.#client, { folderId: id });
    this.#ofFolder.set(id, pages);
    return this.#load(pages, known === undefined ? "first" : "next");
  }

  folderHasMore(id: string): boolean {
    return this.#ofFolder.get(id)?.hasMore.value ?? false;
  }

  /** Shows what is in the folder, or hides it. Rejects when that could not be asked for. */
  async toggleFolder(id: string): Promise<void> {
    const open = new Set(this.openFolders.value);
    const opens = !open.delete(id);
    if (opens) open.add(id);
    this.openFolders.value = open;
    if (opens && !this.#ofFolder.has(id)) await this.loadFolder(id);
  }

  async #load(pages: Pages, from: "first" | "next"): Promise<void> {
    this.put(await pages.load(from));
  }

  /** Nobody asked for it just now; whoever looks asks again. */
  #quietly(work: Promise<void>): void {
    work.catch(() => undefined);
  }

  close(): void {
    this.#subscription.close();
  }
}

const without = (list: readonly Conversation[], gone: readonly { readonly id: string }[]): readonly Conversation[] => {
  const ids = new Set(gone.map(({ id }) => id));
  return ids.size === 0 ? list : list.filter(({ id }) => !ids.has(id));
};

/** The list as it is shown: what is pinned, folders by name, then the rest. */
export interface Arranged {
  readonly pinned: readonly Conversation[];
  readonly folders: readonly { readonly folder: Folder; readonly items: readonly Conversation[] }[];
  readonly rest: readonly Conversation[];
}

/** `compare`: names, in the reader's language. A conversation of a folder that is gone is in none. */
export function arranged(
  items: readonly Conversation[],
  folders: readonly Folder[],
  compare: (a: string, b: string) => number,
): Arranged {
  const known = new Set(folders.map(({ id }) => id));
  const folderOf = ({ folderId }: Conversation) =>
    folderId !== undefined && known.has(folderId) ? folderId : undefined;
  const pinned = items.filter(({ pinnedAt }) => pinnedAt !== undefined);
  const others = items.filter(({ pinnedAt }) => pinnedAt === undefined);
  return {
    pinned,
    folders: folders
      .toSorted((a, b) => compare(a.name, b.name) || (a.id < b.id ? -1 : 1))
      .map((folder) => ({ folder, items: others.filter((item) => folderOf(item) === folder.id) })),
    rest: others.filter((item) => folderOf(item) === undefined),
  };
}
