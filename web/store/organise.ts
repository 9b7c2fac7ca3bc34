import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import type { Conversation, Folder, Share } from "../../src/protocol/shapes.ts";
import { text } from "../text/text.ts";
import type { ConversationList } from "./conversations.ts";
import type { Router } from "./route.ts";
import type { Toasts } from "./toasts.ts";

/** What a dialog is open for. */
export type Dialog =
  | { readonly kind: "share"; readonly conversation: Conversation }
  /** A new folder, for `conversation` if there is one; or another name for `folder`. */
  | { readonly kind: "folder"; readonly folder?: Folder; readonly conversation?: Conversation };

export interface OrganiserOptions {
  readonly client: Client;
  readonly router: Router;
  readonly list: () => ConversationList | undefined;
  readonly toasts: Toasts;
  /** Told of what a person asked for and did not get. */
  readonly failed: (error: unknown) => void;
}

type Changes = { readonly pinned?: boolean; readonly archived?: boolean; readonly folderId?: string | null };

/** What one can do with conversations in the list. All is shown at once, and taken back when the server refuses. */
export class Organiser {
  /** The conversation whose row gets the focus as soon as it is there: it came back by the keyboard. */
  refocus: string | undefined;
  readonly #options: OrganiserOptions;
  readonly #dialog = signal<Dialog | undefined>(undefined);

  constructor(options: OrganiserOptions) {
    this.#options = options;
  }

  get dialog(): ReadonlySignal<Dialog | undefined> {
    return this.#dialog;
  }

  open(dialog: Dialog): void {
    this.#dialog.value = dialog;
  }

  closeDialog(): void {
    this.#dialog.value = undefined;
  }

  get #list(): ConversationList | undefined {
    return this.#options.list();
  }

  rename(id: string, title: string): void {
    const before = this.#list?.find(id);
    const next = title.trim();
    if (before === undefined || next === "" || next === before.title) return;
    this.#change(before, { ...before, title: next }, async () => {
      const { conversation } = await this.#options.client.call("conversation.rename", {
        conversationId: id,
        title: next,
      });
      return conversation;
    });
  }

  pin(conversation: Conversation, pinned: boolean): void {
    const { pinnedAt: _, ...plain } = conversation;
    this.#update(conversation, pinned ? { ...plain, pinnedAt: new Date().toISOString() } : plain, { pinned });
  }

  /** `focus`: on the way back, as the row that had it is gone. */
  archive(conversation: Conversation, archived: boolean, focus: boolean): void {
    const { pinnedAt, archivedAt: _, ...plain } = conversation;
    const shown = archived ? { ...plain, archivedAt: new Date().toISOString() } : plain;
    this.#update(conversation, shown, { archived });
    const { toasts } = this.#options;
    const { archivedToast, unarchivedToast } = text().conversations;
    const undo = () => {
      if (focus) this.refocus = conversation.id;
      this.#update(shown, conversation, { archived: !archived, ...(pinnedAt === undefined ? {} : { pinned: true }) });
    };
    const action = { label: text().conversations.undo, run: undo };
    toasts.show(archived ? archivedToast : unarchivedToast, { action, focus });
  }

  move(conversation: Conversation, folderId: string | null): void {
    const { folderId: _, ...plain } = conversation;
    this.#update(conversation, folderId === null ? plain : { ...plain, folderId }, { folderId });
  }

  #update(before: Conversation, shown: Conversation, changes: Changes): void {
    const { client } = this.#options;
    this.#change(before, shown, async () => {
      const { conversation } = await client.call("conversation.update", { conversationId: before.id, ...changes });
      return conversation;
    });
  }

  #change(before: Conversation, shown: Conversation, work: () => Promise<Conversation>): void {
    this.#list?.put([shown]);
    work().then(
      (conversation) => this.#list?.put([conversation]),
      (error: unknown) => {
        this.#list?.put([before]);
        this.#options.failed(error);
      },
    );
  }

  /** `focus` as above. */
  delete(conversation: Conversation, focus: boolean): void {
    const { client, router, failed } = this.#options;
    const route = router.route.peek();
    const wasOpen = route.kind === "conversation" && route.id === conversation.id;
    this.#list?.remove(conversation.id);
    if (wasOpen) router.go({ kind: "home" }, "replace");
    this.#offerUndo(conversation, { focus, wasOpen });
    client.call("conversation.delete", { conversationId: conversation.id }).catch((error: unknown) => {
      this.#list?.bringBack(conversation);
      this.#options.toasts.hide();
      failed(error);
    });
  }

  /** Somebody deleted what is open here, in another tab or by another program. */
  deletedElsewhere(conversation: Conversation): void {
    this.#offerUndo(conversation, { focus: false, wasOpen: true });
  }

  #offerUndo(
    conversation: Conversation,
    { focus, wasOpen }: { readonly focus: boolean; readonly wasOpen: boolean },
  ): void {
    const words = text().conversations;
    const run = () => {
      if (focus) this.refocus = conversation.id;
      this.#restore(conversation, wasOpen);
    };
    this.#options.toasts.show(words.deletedToast, { focus, action: { label: words.undo, run } });
  }

  #restore(before: Conversation, reopen: boolean): void {
    const { client, router, failed } = this.#options;
    client.call("conversation.restore", { conversationId: before.id }).then(({ conversation }) => {
      this.#list?.bringBack(conversation);
      if (reopen && router.route.peek().kind === "home") router.go({ kind: "conversation", id: before.id });
    }, failed);
  }

  /** Of those that were deleted a while ago. Rejects with a ParleyError. */
  async restore(conversationId: string): Promise<void> {
    const { client, router, toasts } = this.#options;
    const { conversation } = await client.call("conversation.restore", { conversationId });
    this.#list?.bringBack(conversation);
    const words = text().trash;
    const run = (): void => router.go({ kind: "conversation", id: conversationId });
    toasts.show(words.restored, { action: { label: words.open, run } });
  }

  /** Nothing brings it back afterwards. Rejects with a ParleyError. */
  async purge(conversationId: string): Promise<void> {
    await this.#options.client.call("conversation.purge", { conversationId });
    this.#options.toasts.show(text().trash.purged);
  }

  // ── folders ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Makes a folder, and puts the conversation into it. Rejects with a ParleyError. */
  async createFolder(name: string, conversation: Conversation | undefined): Promise<void> {
    const { folder } = await this.#options.client.call("folder.create", { name, idempotencyKey: uuidv7() });
    this.#list?.putFolder(folder);
    if (conversation !== undefined) this.move(conversation, folder.id);
  }

  async renameFolder(folderId: string, name: string): Promise<void> {
    const { folder } = await this.#options.client.call("folder.rename", { folderId, name });
    this.#list?.putFolder(folder);
  }

  deleteFolder({ id }: Folder): void {
    this.#options.client.call("folder.delete", { folderId: id }).then(() => {
      this.#list?.removeFolder(id);
      this.#options.toasts.show(text().conversations.folderDeletedToast);
    }, this.#options.failed);
  }

  // ── links ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async shareOf(conversationId: string): Promise<Share | null> {
    return (await this.#options.client.call("share.get", { conversationId })).share;
  }

  /** The address that opens the conversation: told here, and never again. */
  async share(conversationId: string): Promise<{ readonly share: Share; readonly url: string }> {
    const { share, shareToken } = await this.#options.client.call("share.create", { conversationId });
    return { share, url: new URL(`/s#${shareToken}`, location.origin).href };
  }

  async unshare(conversationId: string): Promise<void> {
    await this.#options.client.call("share.revoke", { conversationId });
  }

  /** Downloads the conversation. */
  export(conversation: Conversation, format: "markdown" | "json"): void {
    const { client, toasts, failed } = this.#options;
    toasts.show(text().conversations.exporting);
    import("./export.ts")
      .then(async ({ exported, download }) => download(await exported(client, conversation.id, format)))
      .then(() => toasts.hide())
      .catch((error: unknown) => {
        toasts.hide();
        failed(error instanceof ParleyError ? error : new ParleyError("INTERNAL", { cause: error }));
      });
  }
}
