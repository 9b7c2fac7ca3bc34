import type { Signal } from "@preact/signals-core";
import { html, nothing, type PropertyValues } from "lit";
import type { AppStore } from "../../store/app.ts";
import { isPressed } from "../../store/keys.ts";
import type { Theme } from "../../store/theme.ts";
import { number } from "../../text/locale.ts";
import { text } from "../../text/text.ts";
import type { ParleyChat } from "../chat/chat.ts";
import { commands } from "../commands/commands.ts";
import { define, ParleyElement } from "../element.ts";
import { icons, mark } from "../icons.ts";
import { isSomethingOpen } from "../menu/menu.ts";
import { titleOf } from "../sidebar/title.ts";
import { appSheet } from "./app.style.ts";
import "../chat/chat.ts";
import "../sidebar/sidebar.ts";
import "../sign-in/sign-in.ts";

/** Below this the sidebar is a drawer. */
const NARROW = "(max-width: 767px)";
/** Nothing is said of a start that takes no longer. */
const PATIENCE_MS = 600;

/** The frame: sign-in or the app, sidebar or drawer, and the keys that work everywhere. */
class ParleyApp extends ParleyElement {
  static override readonly sheets = [appSheet];
  static override readonly properties = {
    app: { attribute: false },
    theme: { attribute: false },
    drawer: { state: true },
    narrow: { state: true },
    late: { state: true },
  };
  declare app: AppStore;
  declare theme: Signal<Theme>;
  declare drawer: boolean;
  declare narrow: boolean;
  declare late: boolean;
  readonly #width = matchMedia(NARROW);
  readonly #resized = (): void => {
    this.narrow = this.#width.matches;
    if (!this.narrow) this.drawer = false;
  };
  readonly #key = (event: KeyboardEvent): void => this.#pressed(event);

  constructor() {
    super();
    this.drawer = false;
    this.narrow = this.#width.matches;
    this.late = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#width.addEventListener("change", this.#resized);
    // Before whatever is open closes itself at the same key.
    addEventListener("keydown", this.#key, { capture: true });
    setTimeout(() => (this.late = true), PATIENCE_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#width.removeEventListener("change", this.#resized);
    removeEventListener("keydown", this.#key, { capture: true });
  }

  protected override render(): unknown {
    // The document's title tells it too.
    void this.app.shell.value?.notifier.unseen.value;
    switch (this.app.session.value.kind) {
      case "starting":
        return this.#starting();
      case "signing-in":
      case "signed-out":
        return html`<parley-sign-in .app=${this.app}></parley-sign-in>`;
      case "signed-in":
        return this.#signedIn();
    }
  }

  #starting(): unknown {
    const waits = this.app.connection.value.phase === "waiting";
    return html`<main class="starting-up" id="main" aria-busy="true">
      <h1 class="hidden-visually">${text().common.parley}</h1>
      ${mark()}
      <div class="said">
        ${
          this.late
            ? html`<p role="status">${waits ? text().app.noAnswerYet : text().app.connecting}</p>
                ${waits ? html`<button class="button" @click=${() => this.app.tryNow()}>${text().common.tryNow}</button>` : nothing}`
            : nothing
        }
      </div>
    </main>`;
  }

  #signedIn(): unknown {
    const modal = this.narrow && this.drawer;
    return html`
      <a class="skip" href="#main" @click=${(event: Event) => this.#skip(event)}>${text().app.skip}</a>
      <div class="frame">
        ${
          this.narrow && !this.drawer
            ? nothing
            : html`<div
                  class="side ${modal ? "drawer" : ""}"
                  aria-label=${text().app.sidebar}
                  role=${modal ? "dialog" : "complementary"}
                  aria-modal=${modal ? "true" : nothing}
                  ?data-open-drawer=${modal}
                  @parley-close=${() => this.#close()}
                >
                  <parley-sidebar .app=${this.app} .theme=${this.theme} ?closable=${modal}></parley-sidebar>
                </div>
                ${modal ? html`<div class="scrim" @click=${() => this.#close()}></div>` : nothing}`
        }
        <main class="main" id="main" ?inert=${modal || (this.narrow && this.#inspects())}>
          ${this.#header()}
          ${
            this.app.router.route.value.kind === "insights"
              ? this.#insights()
              : html`<parley-conversation .app=${this.app}></parley-conversation>`
          }
        </main>
        ${this.#inspector()}
      </div>
      ${this.#panel()}
      <parley-toast .app=${this.app}></parley-toast>
      <parley-dialogs .app=${this.app}></parley-dialogs>
    `;
  }

  #panel(): unknown {
    const shell = this.app.shell.value;
    const panel = shell?.panel.value;
    switch (panel?.kind) {
      case undefined:
        return nothing;
      case "palette":
        return html`<parley-palette .app=${this.app} .shell=${shell}></parley-palette>`;
      case "shortcuts":
        return html`<parley-shortcuts .app=${this.app} .shell=${shell}></parley-shortcuts>`;
      case "settings":
        return html`<parley-settings .app=${this.app} .shell=${shell} .section=${panel.section}></parley-settings>`;
    }
  }

  /** Beside the conversation, or where there is no room a drawer over it. */
  #inspector(): unknown {
    const shell = this.app.shell.value;
    if (!this.#inspects()) return nothing;
    this.app.load(async () => void (await import("../inspector/inspector.ts")));
    return html`<div
        class="inspect ${this.narrow ? "drawer" : ""}"
        role=${this.narrow ? "dialog" : "complementary"}
        aria-label=${text().inspector.title}
        aria-modal=${this.narrow ? "true" : nothing}
        ?data-open-drawer=${this.narrow}
      >
        <parley-inspector .app=${this.app} .shell=${shell}></parley-inspector>
      </div>
      ${this.narrow ? html`<div class="scrim" @click=${() => shell?.inspect(undefined)}></div>` : nothing}`;
  }

  #inspects(): boolean {
    const { value: shell } = this.app.shell;
    return shell?.inspected.value !== undefined && this.app.router.route.value.kind === "conversation";
  }

  #insights(): unknown {
    this.app.load(async () => void (await import("../insights/insights.ts")));
    return html`<parley-insights .client=${this.app.shell.value?.client}></parley-insights>`;
  }

  #header(): unknown {
    const title = this.#title();
    return html`<header class="bar">
      ${
        this.narrow
          ? html`<button
              class="icon-button"
              aria-label=${text().common.conversations}
              title=${text().common.conversations}
              aria-expanded=${this.drawer ? "true" : "false"}
              @click=${() => (this.drawer = true)}
            >
              ${icons.menu()}
            </button>`
          : nothing
      }
      <div class="heading">
        ${
          title === undefined || title === "" || this.app.router.route.value.kind === "insights"
            ? html`<span class="title"></span>`
            : html`<h1 class="title" dir="auto">${title}</h1>`
        }
        <parley-presence .app=${this.app} .shell=${this.app.shell.value}></parley-presence>
      </div>
      ${
        this.narrow
          ? html`<button
              class="icon-button"
              aria-label=${text().common.newConversation}
              title=${text().common.newConversation}
              @click=${() => this.app.router.go({ kind: "home" })}
            >
              ${icons.newChat()}
            </button>`
          : nothing
      }
      ${this.#inspectButton()}
    </header>`;
  }

  #inspectButton(): unknown {
    const shell = this.app.shell.value;
    if (shell === undefined || this.app.router.route.value.kind !== "conversation") return nothing;
    const open = shell.inspected.value !== undefined;
    const label = open ? text().inspector.close : text().inspector.open;
    return html`<button
      class="icon-button"
      aria-label=${label}
      title=${label}
      aria-expanded=${open ? "true" : "false"}
      @click=${() => shell.inspect(open ? undefined : { messageId: undefined })}
    >
      ${icons.inspect()}
    </button>`;
  }

  #title(): string | undefined {
    const route = this.app.router.route.value;
    if (route.kind === "home") return undefined;
    if (route.kind === "insights") return text().insights.title;
    const listed = route.kind === "conversation" ? this.app.list.value?.find(route.id)?.title : undefined;
    const title = listed ?? this.app.current.value?.view.title.value;
    return title === undefined ? "" : titleOf({ title });
  }

  #skip(event: Event): void {
    event.preventDefault();
    this.querySelector<ParleyChat>("parley-conversation")?.focusComposer();
  }

  #close(): void {
    if (!this.drawer) return;
    this.drawer = false;
    this.updateComplete.then(
      () => this.querySelector<HTMLElement>(".bar .icon-button")?.focus(),
      () => undefined,
    );
  }

  #pressed(event: KeyboardEvent): void {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") this.#escape(event);
    else this.#command(event);
  }

  /** Closes what is open; when nothing is, stops the answer. */
  #escape(event: KeyboardEvent): void {
    if (this.narrow && this.drawer && this.querySelector(":popover-open, dialog[open], [data-open-search]") === null)
      return this.#close();
    if (this.narrow && this.#inspects()) return this.app.shell.peek()?.inspect(undefined);
    const { target } = event;
    // Whoever decides about a call does not stop it by leaving a field.
    const field =
      target instanceof HTMLInputElement || (target instanceof Element && target.closest(".approval") !== null);
    if (!field && !isSomethingOpen(this)) this.app.current.value?.stop();
  }

  /** Keys without Ctrl or ⌘ are text where somebody writes. */
  #command(event: KeyboardEvent): void {
    const shell = this.app.shell.peek();
    if (shell === undefined || this.app.session.peek().kind !== "signed-in") return;
    const { target } = event;
    const writes = target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
    const wanted = commands(this.app, shell).find(({ can, keys = [] }) =>
      can ? keys.some((each) => (each.command === true || !writes) && isPressed(each, event)) : false,
    );
    if (wanted === undefined) return;
    event.preventDefault();
    const panel = shell.panel.peek();
    wanted.run();
    // What it did is not to be done behind a panel.
    if (panel !== undefined && shell.panel.peek() === panel) shell.close();
  }

  protected override updated(changed: PropertyValues<this>): void {
    const title = this.app.session.peek().kind === "signed-in" ? this.#title() : undefined;
    const unseen = this.app.shell.peek()?.notifier.unseen.peek().size ?? 0;
    const named = title === undefined || title === "" ? "Parley" : `${title} · Parley`;
    document.title = unseen === 0 ? named : `(${number(unseen)}) ${named}`;
    if (changed.has("drawer") && this.drawer) this.querySelector<HTMLElement>(".drawer .icon-button")?.focus();
  }
}

define("parley-app", ParleyApp);
export type { ParleyApp };
