import { html, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Conversation, Folder } from "../../../src/protocol/shapes.ts";
import type { AppStore } from "../../store/app.ts";
import { arranged } from "../../store/conversations.ts";
import { pathOf } from "../../store/route.ts";
import { localeTag } from "../../text/locale.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { byAge } from "./by-age.ts";
import type { ParleyRowMenu } from "./row-menu.ts";
import { titleOf } from "./title.ts";

/**
 * The conversations: what is pinned, folders, and the rest by age; or those in the archive. Fires `parley-close` when
 * one was chosen.
 */
class ParleyConversations extends ParleyElement {
  static override readonly properties = {
    app: { attribute: false },
    renaming: { state: true },
    place: { state: true },
  };
  declare app: AppStore;
  declare renaming: string | undefined;
  declare place: "recent" | "archive" | "trash";
  #more: IntersectionObserver | undefined;
  #sentinel: Element | null = null;
  /** The row that gets the focus when its field is gone. */
  #refocus: string | undefined;

  constructor() {
    super();
    this.renaming = undefined;
    this.place = "recent";
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#more?.disconnect();
    this.#more = undefined;
    this.#sentinel = null;
  }

  protected override render(): unknown {
    const list = this.app.list.value;
    if (list === undefined || list.items.value === undefined) return nothing;
    return html`${this.#shown(list.items.value)}
      <parley-row-menu
        .app=${this.app}
        @parley-rename=${(event: CustomEvent<string>) => (this.renaming = event.detail)}
      ></parley-row-menu>`;
  }

  #shown(items: readonly Conversation[]): unknown {
    switch (this.place) {
      case "recent":
        return this.#recent(items);
      case "archive":
        return this.#archive();
      case "trash":
        this.app.load(async () => void (await import("./trash.ts")));
        return html`${this.#back()}<parley-trash .app=${this.app}></parley-trash>`;
    }
  }

  #back(): unknown {
    return html`<button class="quiet-row back" @click=${() => this.#goBack()}>
      ${icons.chevronLeft("small")}<span>${text().conversations.backToList}</span>
    </button>`;
  }

  #recent(items: readonly Conversation[]): unknown {
    const list = this.app.list.value;
    const folders = list?.folders.value ?? [];
    const { compare } = new Intl.Collator(localeTag.value, { numeric: true });
    const { pinned, folders: filled, rest } = arranged(items, folders, compare);
    const words = text().conversations;
    return html`
      ${items.length === 0 && folders.length === 0 ? html`<p class="none">${text().sidebar.none}</p>` : nothing}
      ${
        pinned.length === 0
          ? nothing
          : html`<h2>${words.pinned}</h2>
              ${this.#rows(pinned)}`
      }
      ${
        filled.length === 0
          ? nothing
          : html`<h2>${words.folders}</h2>
              <ul class="folders">
                ${repeat(
                  filled,
                  ({ folder }) => folder.id,
                  ({ folder, items: inside }) => html`<li>${this.#folder(folder, inside)}</li>`,
                )}
              </ul>`
      }
      ${byAge(rest, new Date()).map(
        ({ label, items: group }) =>
          html`<h2>${label}</h2>
            ${this.#rows(group)}`,
      )}
      ${
        list?.hasMore.value === true
          ? html`<button class="show-more" data-sentinel @click=${() => this.app.loadMore()}>
              ${text().sidebar.showMore}
            </button>`
          : nothing
      }
      <button class="quiet-row to-archive" @click=${() => this.#openArchive()}>
        ${icons.archive("small")}<span>${words.archived}</span>
      </button>
      <button class="quiet-row to-trash" @click=${() => (this.place = "trash")}>
        ${icons.trash("small")}<span>${text().trash.title}</span>
      </button>
    `;
  }

  #archive(): unknown {
    const list = this.app.list.value;
    const items = list?.archive.value;
    const words = text().conversations;
    return html`
      ${this.#back()}
      <h2 tabindex="-1" class="archive-heading">${words.archived}</h2>
      ${items?.length === 0 ? html`<p class="none">${words.noneArchived}</p>` : nothing}
      ${items === undefined ? nothing : this.#rows(items)}
      ${
        list?.hasMoreArchived.value === true
          ? html`<button class="show-more" data-sentinel @click=${() => this.app.loadArchive()}>
              ${text().sidebar.showMore}
            </button>`
          : nothing
      }
    `;
  }

  #rows(items: readonly Conversation[]): unknown {
    return html`<ul>
      ${repeat(
        items,
        ({ id }) => id,
        (conversation) => html`<li>${this.#row(conversation)}</li>`,
      )}
    </ul>`;
  }

  #folder(folder: Folder, items: readonly Conversation[]): unknown {
    const list = this.app.list.value;
    const open = list?.openFolders.value.has(folder.id) === true;
    const words = text().conversations;
    return html`<div class="folder">
        <button
          class="folder-name"
          aria-expanded=${open ? "true" : "false"}
          @click=${() => this.app.toggleFolder(folder.id)}
        >
          ${icons.chevronRight("small")}${icons.folder("small")}<span dir="auto">${folder.name}</span></button
        ><button
          class="icon-button"
          aria-haspopup="menu"
          aria-label=${words.folderActions(folder.name)}
          title=${words.folderActions(folder.name)}
          @click=${(event: Event) => this.#openMenu(event, { folder })}
        >
          ${icons.more()}
        </button>
      </div>
      ${
        open
          ? html`${items.length === 0 ? html`<p class="none">${words.emptyFolder}</p>` : this.#rows(items)}
            ${
              list?.folderHasMore(folder.id) === true
                ? html`<button class="show-more" @click=${() => this.app.loadFolder(folder.id)}>
                    ${text().sidebar.showMore}
                  </button>`
                : nothing
            }`
          : nothing
      }`;
  }

  #row(conversation: Conversation): unknown {
    const { id } = conversation;
    const title = titleOf(conversation);
    const route = this.app.router.route.value;
    const current = route.kind === "conversation" && route.id === id;
    if (this.renaming === id) {
      return html`<input
        class="rename"
        aria-label=${text().sidebar.title}
        maxlength="200"
        .value=${conversation.title}
        @keydown=${(event: KeyboardEvent) => this.#renameKey(event, id)}
        @blur=${(event: FocusEvent) => this.#rename(event.target, id)}
      />`;
    }
    const actions = text().conversations.actions(title);
    return html`<a
        href=${pathOf({ kind: "conversation", id })}
        data-row=${id}
        aria-current=${current ? "page" : nothing}
        title=${title}
        dir="auto"
        @click=${(event: MouseEvent) => this.#go(event, id)}
        @dblclick=${() => (this.renaming = id)}
        @keydown=${(event: KeyboardEvent) => this.#rowKey(event, conversation)}
        >${title}</a
      ><button
        class="icon-button"
        aria-haspopup="menu"
        aria-label=${actions}
        title=${actions}
        @click=${(event: Event) => this.#openMenu(event, { conversation })}
      >
        ${icons.more()}
      </button>`;
  }

  #openMenu(event: Event, target: Parameters<ParleyRowMenu["open"]>[0]): void {
    const opener = event.currentTarget;
    if (!(opener instanceof HTMLElement)) return;
    this.app.load(async () => {
      await import("./row-menu.ts");
      this.querySelector<ParleyRowMenu>("parley-row-menu")?.open(target, opener);
    });
  }

  #rowKey(event: KeyboardEvent, conversation: Conversation): void {
    if (event.key === "F2") this.renaming = conversation.id;
    else if (event.key === "Delete") this.app.organise.delete(conversation, true);
    else return;
    event.preventDefault();
  }

  /** Whoever asks for another tab gets one. */
  #go(event: MouseEvent, id: string): void {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.app.router.go({ kind: "conversation", id });
    this.dispatchEvent(new Event("parley-close", { bubbles: true }));
  }

  #openArchive(): void {
    this.place = "archive";
    this.app.loadArchive();
    this.#focusSoon(".archive-heading");
  }

  #goBack(): void {
    const opener = this.place === "trash" ? ".to-trash" : ".to-archive";
    this.place = "recent";
    this.#focusSoon(opener);
  }

  #focusSoon(selector: string): void {
    this.updateComplete.then(
      () => this.querySelector<HTMLElement>(selector)?.focus(),
      () => undefined,
    );
  }

  #renameKey(event: KeyboardEvent, id: string): void {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter") this.#rename(event.target, id);
    else if (event.key === "Escape") this.#stopRenaming(id);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.#refocus = id;
  }

  #rename(field: EventTarget | null, id: string): void {
    if (this.renaming !== id) return;
    if (field instanceof HTMLInputElement) this.app.organise.rename(id, field.value);
    this.#stopRenaming(id);
  }

  #stopRenaming(id: string): void {
    if (this.renaming === id) this.renaming = undefined;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("renaming")) {
      if (this.renaming !== undefined) this.querySelector<HTMLInputElement>(".rename")?.select();
      else if (this.#refocus !== undefined) {
        this.querySelector<HTMLElement>(`[data-row="${CSS.escape(this.#refocus)}"]`)?.focus();
        this.#refocus = undefined;
      }
    }
    this.#refocusReturned();
    this.#watchEnd();
  }

  #refocusReturned(): void {
    const { refocus } = this.app.organise;
    const row = refocus === undefined ? null : this.querySelector<HTMLElement>(`[data-row="${CSS.escape(refocus)}"]`);
    if (row === null) return;
    this.app.organise.refocus = undefined;
    row.focus();
  }

  /** What comes into view asks for more; looked at anew after each page, as the end may still be in view. */
  #watchEnd(): void {
    this.#more ??= new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        if (this.place === "archive") this.app.loadArchive();
        else this.app.loadMore();
      },
      { root: this.closest("nav"), rootMargin: "300px 0px" },
    );
    this.#more.disconnect();
    this.#sentinel = this.querySelector("[data-sentinel]");
    if (this.#sentinel !== null) this.#more.observe(this.#sentinel);
  }
}

define("parley-conversations", ParleyConversations);
