import type { Signal } from "@preact/signals-core";
import { html, nothing } from "lit";
import type { AppStore } from "../../store/app.ts";
import { ownershipOf } from "../../store/ownership.ts";
import { type Theme, THEMES } from "../../store/theme.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons, mark } from "../icons.ts";
import { closeMenu, menuKeys, menuSheet, menuToggled } from "../menu/menu.ts";
import type { ParleySearchResults } from "./search.ts";
import { sidebarSheet } from "./sidebar.style.ts";
import "./list.ts";

const THEME_ICONS = { light: icons.sun, dark: icons.moon, system: icons.monitor } as const;

/** The conversations, the search in them, and who is signed in. Fires `parley-close` when something was chosen. */
class ParleySidebar extends ParleyElement {
  static override readonly sheets = [menuSheet, sidebarSheet];
  static override readonly properties = {
    app: { attribute: false },
    theme: { attribute: false },
    closable: { type: Boolean },
  };
  declare app: AppStore;
  declare theme: Signal<Theme>;
  declare closable: boolean;

  constructor() {
    super();
    this.closable = false;
  }

  protected override render(): unknown {
    const searching = this.app.search.state.value !== undefined;
    return html`
      <div class="top">
        <a class="brand" href="/" @click=${(event: MouseEvent) => this.#goHome(event)}
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
        @click=${(event: MouseEvent) => this.#goHome(event)}
        >${icons.newChat()}<span>${text().common.newConversation}</span></a
      >
      ${this.#search()}
      <nav aria-label=${text().common.conversations}>
        <parley-conversations .app=${this.app} ?hidden=${searching}></parley-conversations>
        ${searching ? this.#found() : nothing}
      </nav>
      ${this.#account()}
    `;
  }

  #search(): unknown {
    const words = text().conversations;
    const { search } = this.app;
    return html`<search class="search">
      ${icons.search("small")}
      <input
        type="search"
        aria-label=${words.search}
        placeholder=${words.search}
        autocomplete="off"
        maxlength="200"
        .value=${search.query.value}
        @input=${(event: Event) => event.target instanceof HTMLInputElement && search.type(event.target.value)}
        @keydown=${(event: KeyboardEvent) => this.#searchKey(event)}
      />
      ${
        search.query.value === ""
          ? nothing
          : html`<button
              class="icon-button"
              aria-label=${words.clearSearch}
              title=${words.clearSearch}
              @click=${() => this.#clearSearch()}
            >
              ${icons.close("small")}
            </button>`
      }
    </search>`;
  }

  #found(): unknown {
    this.app.load(async () => void (await import("./search.ts")));
    return html`<parley-search-results
      data-open-search
      .app=${this.app}
      @parley-to-field=${() => this.focusSearch()}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        this.#clearSearch();
      }}
    ></parley-search-results>`;
  }

  focusSearch(): void {
    this.querySelector<HTMLInputElement>(".search input")?.focus();
  }

  #clearSearch(): void {
    this.app.search.clear();
    this.focusSearch();
  }

  #searchKey(event: KeyboardEvent): void {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "ArrowDown") this.querySelector<ParleySearchResults>("parley-search-results")?.focusFirst?.();
    else if (event.key === "Escape" && this.app.search.query.peek() !== "") this.#clearSearch();
    else return;
    event.preventDefault();
    event.stopPropagation();
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
        ${this.#panelItem("settings", icons.settings)} ${this.#panelItem("shortcuts", icons.keyboard)}
        ${this.#panelItem("palette", icons.search)} ${this.#insightsItem()}
        <div class="rule" role="separator"></div>
        <button role="menuitem" tabindex="-1" @click=${(event: Event) => this.#signOut(event)}>
          ${icons.logOut()}<span>${text().sidebar.signOut}</span>
        </button>
      </div>
    </div>`;
  }

  #insightsItem(): unknown {
    const shell = this.app.shell.value;
    if (shell === undefined || !ownershipOf(shell.client).value) return nothing;
    const open = (event: Event): void => {
      closeMenu(event.currentTarget);
      this.#close();
      this.app.router.go({ kind: "insights" });
    };
    return html`<button role="menuitem" tabindex="-1" @click=${open}>
      ${icons.chart()}<span>${text().insights.open}</span>
    </button>`;
  }

  #panelItem(kind: "settings" | "shortcuts" | "palette", icon: (typeof icons)["settings"]): unknown {
    const { settings, shortcuts, commands } = text().commands;
    const open = (event: Event): void => {
      closeMenu(event.currentTarget);
      this.#close();
      this.app.shell.peek()?.open(kind === "settings" ? { kind, section: "general" } : { kind });
    };
    return html`<button role="menuitem" tabindex="-1" @click=${open}>
      ${icon()}<span>${{ settings, shortcuts, palette: commands }[kind]}</span>
    </button>`;
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
  #goHome(event: MouseEvent): void {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.app.router.go({ kind: "home" });
    this.#close();
  }

  #close(): void {
    this.dispatchEvent(new Event("parley-close", { bubbles: true }));
  }

  #signOut(event: Event): void {
    closeMenu(event.currentTarget);
    this.app.signOut().catch(() => undefined);
  }
}

define("parley-sidebar", ParleySidebar);
