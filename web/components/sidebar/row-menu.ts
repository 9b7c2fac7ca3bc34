import { html, nothing, type TemplateResult } from "lit";
import type { Conversation, Folder } from "../../../src/protocol/shapes.ts";
import type { AppStore } from "../../store/app.ts";
import { localeTag } from "../../text/locale.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { menuKeys, menuSheet, placeBeside } from "../menu/menu.ts";
import { titleOf } from "./title.ts";

type Target = { readonly conversation: Conversation } | { readonly folder: Folder };

/** One menu for all rows of the list. Fires `parley-rename` with the id of the conversation to rename. */
class ParleyRowMenu extends ParleyElement {
  static override readonly sheets = [menuSheet];
  static override readonly properties = {
    app: { attribute: false },
    target: { state: true },
    moving: { state: true },
  };
  declare app: AppStore;
  declare target: Target | undefined;
  /** The folders are shown. */
  declare moving: boolean;
  #opener: HTMLElement | undefined;

  constructor() {
    super();
    this.target = undefined;
    this.moving = false;
  }

  open(target: Target, opener: HTMLElement): void {
    this.target = target;
    this.moving = false;
    this.#opener = opener;
    this.updateComplete.then(
      () => {
        this.#menu?.showPopover();
        this.#place();
      },
      () => undefined,
    );
  }

  get #menu(): HTMLElement | null {
    return this.querySelector<HTMLElement>(".menu");
  }

  /** Beside its row, with the focus in it. */
  #place(): void {
    const { width, height } = this.#opener?.getBoundingClientRect() ?? { width: 0, height: 0 };
    if (this.#menu === null || this.#opener === undefined || width + height === 0) return;
    placeBeside(this.#menu, this.#opener.getBoundingClientRect());
    const first = this.#menu.querySelector<HTMLElement>('[aria-checked="true"], [role^="menuitem"]');
    first?.focus();
  }

  protected override render(): unknown {
    const { target } = this;
    const name =
      target === undefined
        ? ""
        : "folder" in target
          ? text().conversations.folderActions(target.folder.name)
          : text().conversations.actions(titleOf(target.conversation));
    return html`<div class="menu" popover="auto" role="menu" aria-label=${name} @keydown=${menuKeys}>
      ${target === undefined ? nothing : "folder" in target ? this.#ofFolder(target.folder) : this.#of(target.conversation)}
    </div>`;
  }

  #of(conversation: Conversation): unknown {
    if (this.moving) return this.#folders(conversation);
    const { organise } = this.app;
    const words = text().conversations;
    const pinned = conversation.pinnedAt !== undefined;
    const archived = conversation.archivedAt !== undefined;
    return html`
      ${this.#item(icons.pencil(), words.rename, () => this.#rename(conversation.id))}
      ${
        archived
          ? nothing
          : this.#item(icons.pin(), pinned ? words.unpin : words.pin, () => {
              organise.pin(conversation, !pinned);
              this.#focusRow(conversation.id);
            })
      }
      ${this.#item(icons.folder(), words.move, () => this.#showFolders(), true)}
      ${this.#item(icons.share(), words.share, () => organise.open({ kind: "share", conversation }))}
      ${this.#item(icons.download(), words.exportMarkdown, () => this.#export(conversation, "markdown"))}
      ${this.#item(icons.download(), words.exportJson, () => this.#export(conversation, "json"))}
      <div class="rule" role="separator"></div>
      ${this.#item(icons.archive(), archived ? words.unarchive : words.archive, (keyboard) =>
        organise.archive(conversation, !archived, keyboard),
      )}
      ${this.#item(icons.trash(), words.delete, (keyboard) => organise.delete(conversation, keyboard))}
    `;
  }

  #folders(conversation: Conversation): unknown {
    const { organise } = this.app;
    const words = text().conversations;
    const { compare } = new Intl.Collator(localeTag.value, { numeric: true });
    const folders = (this.app.list.value?.folders.value ?? []).toSorted((a, b) => compare(a.name, b.name));
    const chosen = folders.some(({ id }) => id === conversation.folderId) ? conversation.folderId : undefined;
    const choice = (id: string | undefined, label: string) =>
      html`<button
        role="menuitemradio"
        tabindex="-1"
        aria-checked=${id === chosen ? "true" : "false"}
        @click=${() =>
          this.#chose(() => {
            organise.move(conversation, id ?? null);
            this.#focusRow(conversation.id);
          })}
      >
        ${id === undefined ? icons.ban() : icons.folder()}<span dir="auto">${label}</span>${
          id === chosen ? html`<span class="trailing">${icons.check("small")}</span>` : nothing
        }
      </button>`;
    return html`
      <div role="group" aria-label=${words.move}>
        ${choice(undefined, words.noFolder)} ${folders.map(({ id, name }) => choice(id, name))}
      </div>
      <div class="rule" role="separator"></div>
      ${this.#item(icons.newChat(), words.newFolder, () => organise.open({ kind: "folder", conversation }))}
    `;
  }

  #ofFolder(folder: Folder): unknown {
    const { organise } = this.app;
    const words = text().conversations;
    return html`
      ${this.#item(icons.pencil(), words.renameFolder, () => organise.open({ kind: "folder", folder }))}
      ${this.#item(icons.trash(), words.deleteFolder, () => organise.deleteFolder(folder))}
    `;
  }

  /** `keyboard`: it was not a pointer that chose. `stays`: the menu stays open. */
  #item(icon: TemplateResult, label: string, work: (keyboard: boolean) => void, stays = false): unknown {
    return html`<button
      role="menuitem"
      tabindex="-1"
      @click=${(event: MouseEvent) => {
        const keyboard = event.detail === 0;
        if (stays) work(keyboard);
        else this.#chose(() => work(keyboard));
      }}
    >
      ${icon}<span>${label}</span>
    </button>`;
  }

  #chose(work: () => void): void {
    this.#menu?.hidePopover();
    this.#opener?.focus();
    work();
  }

  #showFolders(): void {
    this.moving = true;
    this.updateComplete.then(
      () => this.#place(),
      () => undefined,
    );
  }

  #rename(id: string): void {
    this.dispatchEvent(new CustomEvent("parley-rename", { detail: id, bubbles: true }));
  }

  #export(conversation: Conversation, format: "markdown" | "json"): void {
    this.app.organise.export(conversation, format);
  }

  /** The row moves to another place of the list, and the focus with it. */
  #focusRow(id: string): void {
    const list = this.closest("parley-conversations");
    requestAnimationFrame(() => list?.querySelector<HTMLElement>(`[data-row="${CSS.escape(id)}"]`)?.focus());
  }
}

define("parley-row-menu", ParleyRowMenu);
export type { ParleyRowMenu };
