import type { Signal } from "@preact/signals-core";
import { html, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Conversation } from "../../../src/protocol/shapes.ts";
import type { AppStore } from "../../store/app.ts";
import { pathOf } from "../../store/route.ts";
import { type Theme, THEMES } from "../../store/theme.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons, mark } from "../icons.ts";
import { closeMenu, menuKeys, menuSheet, menuToggled } from "../menu/menu.ts";
import { byAge } from "./by-age.ts";
import { sidebarSheet } from "./sidebar.style.ts";

const THEME_ICONS = { light: icons.sun, dark: icons.moon, system: icons.monitor } as const;

/** The conversations, and who is signed in. Fires `parley-close` when something was chosen. */
class ParleySidebar extends ParleyElement {
  static override readonly sheets = [menuSheet, sidebarSheet];
  static override readonly properties = {
    app: { attribute: false },
    theme: { attribute: false },
    closable: { type: Boolean },
    renaming: { state: true },
  };
  declare app: AppStore;
  declare theme: Signal<Theme>;
  declare closable: boolean;
  declare renaming: string | undefined;

  constructor() {
    super();
    this.closable = false;
    this.renaming = undefined;
  }

  protected override render(): unknown {
    return html`
      <div class="top">
        <a class="brand" href="/" @click=${(event: MouseEvent) => this.#go(event, undefined)}
          >${mark()}<span>${text().common.parley}</span></a
        >
        ${
          this.closable
            ? html`<button
                class="icon-button"
                aria-label=${text().common.close}
                title=${text().common.close}
                @click=${() => this.#close()}
              >
                ${icons.close()}
              </button>`
            : nothing
        }
      </div>
      <a
        class="new"
        href="/"
        aria-current=${this.app.router.route.value.kind === "home" ? "page" : nothing}
        @click=${(event: MouseEvent) => this.#go(event, undefined)}
        >${icons.newChat()}<span>${text().common.newConversation}</span></a
      >
      <nav aria-label=${text().common.conversations}>${this.#list()}</nav>
      ${this.#account()}
    `;
  }

  #list(): unknown {
    const items = this.app.list.value?.items.value;
    if (items === undefined) return nothing;
    if (items.length === 0) return html`<p class="none">${text().sidebar.none}</p>`;
    return html`
      ${byAge(items, new Date()).map(
        ({ label, items: group }) =>
          html`<h2>${label}</h2>
            <ul>
              ${repeat(
                group,
                ({ id }) => id,
                (conversation) => html`<li>${this.#item(conversation)}</li>`,
              )}
            </ul>`,
      )}
      ${
        this.app.list.value?.hasMore.value === true
          ? html`<button class="show-more" @click=${() => this.app.loadMore()}>${text().sidebar.showMore}</button>`
          : nothing
      }
    `;
  }

  #item(conversation: Conversation): unknown {
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
    return html`<a
        href=${pathOf({ kind: "conversation", id })}
        aria-current=${current ? "page" : nothing}
        title=${title}
        dir="auto"
        @click=${(event: MouseEvent) => this.#go(event, id)}
        @dblclick=${() => (this.renaming = id)}
        @keydown=${(event: KeyboardEvent) => event.key === "F2" && (this.renaming = id)}
        >${title}</a
      ><button
        class="icon-button"
        data-rename=${id}
        aria-label=${text().sidebar.rename(title)}
        title=${text().sidebar.renameKey}
        @click=${() => (this.renaming = id)}
      >
        ${icons.pencil("small")}
      </button>`;
  }

  #account(): unknown {
    const name = this.app.user.value?.name ?? "";
    return html`<div class="account">
      <button class="who" popovertarget="account-menu" aria-haspopup="menu">
        <span class="initial" aria-hidden="true">${name.match(/./u)?.[0].toUpperCase() ?? "?"}</span>
        <span class="name">${name}</span><span class="hidden-visually">${text().sidebar.account}</span>${icons.more()}
      </button>
      <div
        class="menu"
        id="account-menu"
        popover="auto"
        role="menu"
        aria-label=${text().sidebar.accountMenu}
        @toggle=${menuToggled}
        @keydown=${menuKeys}
      >
        <div role="group" aria-labelledby="theme-heading">
          <div class="heading" id="theme-heading" role="presentation">${text().sidebar.theme}</div>
          ${THEMES.map((theme) => this.#themeItem(theme))}
        </div>
        <div class="rule" role="separator"></div>
        <button role="menuitem" tabindex="-1" @click=${(event: Event) => this.#signOut(event)}>
          ${icons.logOut()}<span>${text().sidebar.signOut}</span>
        </button>
      </div>
    </div>`;
  }

  #themeItem(theme: Theme): unknown {
    const chosen = this.theme.value === theme;
    return html`<button
      role="menuitemradio"
      tabindex="-1"
      aria-checked=${chosen ? "true" : "false"}
      @click=${() => (this.theme.value = theme)}
    >
      ${THEME_ICONS[theme]()}<span>${text().sidebar.themes[theme]}</span>${
        chosen ? html`<span class="trailing">${icons.check("small")}</span>` : nothing
      }
    </button>`;
  }

  /** Whoever asks for another tab gets one. */
  #go(event: MouseEvent, id: string | undefined): void {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.app.router.go(id === undefined ? { kind: "home" } : { kind: "conversation", id });
    this.#close();
  }

  #close(): void {
    this.dispatchEvent(new Event("parley-close", { bubbles: true }));
  }

  #signOut(event: Event): void {
    closeMenu(event.currentTarget);
    this.app.signOut().catch(() => undefined);
  }

  #renameKey(event: KeyboardEvent, id: string): void {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter") this.#rename(event.target, id);
    else if (event.key === "Escape") this.#stopRenaming(id);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.#focusItem(id);
  }

  #rename(field: EventTarget | null, id: string): void {
    if (this.renaming !== id) return;
    if (field instanceof HTMLInputElement) this.app.rename(id, field.value);
    this.#stopRenaming(id);
  }

  #stopRenaming(id: string): void {
    if (this.renaming === id) this.renaming = undefined;
  }

  /** Back to what opened the field. */
  #focusItem(id: string): void {
    this.updateComplete.then(
      () => this.querySelector<HTMLElement>(`[data-rename="${CSS.escape(id)}"]`)?.focus(),
      () => undefined,
    );
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("renaming") && this.renaming !== undefined)
      this.querySelector<HTMLInputElement>(".rename")?.select();
  }
}

export const titleOf = ({ title }: Pick<Conversation, "title">): string =>
  title === "" ? text().common.newConversation : title;

define("parley-sidebar", ParleySidebar);
