import { html, nothing, type PropertyValues } from "lit";
import { type Section, SECTIONS } from "../../store/shell.ts";
import { text } from "../../text/text.ts";
import { define } from "../element.ts";
import { icons } from "../icons.ts";
import { panelSheet } from "../panel/panel.style.ts";
import { ParleyPanel } from "../panel/panel.ts";
import { settingsSheet } from "./settings.style.ts";
import "./devices.ts";
import "./general.ts";
import "./memories.ts";
import "./notifications.ts";
import "./prompt-library.ts";

const ICONS: Readonly<Record<Section, keyof typeof icons>> = {
  general: "settings",
  notifications: "bell",
  prompts: "bookmark",
  memory: "book",
  devices: "monitor",
  account: "logOut",
};

/** Everything that is set for a person or a device, in tabs. */
class ParleySettings extends ParleyPanel {
  static override readonly sheets = [panelSheet, settingsSheet];
  static override readonly properties = {
    ...ParleyPanel.properties,
    section: { attribute: false },
  };
  declare section: Section;
  protected override readonly look = "settings";

  protected override name(): string {
    return text().settings.title;
  }

  protected override content(): unknown {
    const words = text().settings;
    return html`<header>
        <h2>${words.title}</h2>
        ${this.closeButton()}
      </header>
      <div class="columns">
        <div
          class="tabs"
          role="tablist"
          aria-orientation="vertical"
          aria-label=${words.title}
          @keydown=${(event: KeyboardEvent) => this.#key(event)}
        >
          ${SECTIONS.map((section) => this.#tab(section))}
        </div>
        <div
          class="body"
          id="settings-panel"
          role="tabpanel"
          aria-labelledby=${`settings-${this.section}`}
          tabindex="0"
        >
          ${this.#section()}
        </div>
      </div>`;
  }

  #tab(section: Section): unknown {
    const chosen = section === this.section;
    return html`<button
      type="button"
      role="tab"
      id=${`settings-${section}`}
      aria-selected=${chosen ? "true" : "false"}
      aria-controls=${chosen ? "settings-panel" : nothing}
      tabindex=${chosen ? 0 : -1}
      @click=${() => (this.section = section)}
    >
      ${icons[ICONS[section]]("small")}<span>${text().settings.sections[section]}</span>
    </button>`;
  }

  #section(): unknown {
    switch (this.section) {
      case "general":
        return html`<parley-general .shell=${this.shell}></parley-general>`;
      case "notifications":
        return html`<parley-notifications .shell=${this.shell}></parley-notifications>`;
      case "prompts":
        return html`<parley-prompt-library .shell=${this.shell}></parley-prompt-library>`;
      case "memory":
        return html`<parley-memories .client=${this.shell.client}></parley-memories>`;
      case "devices":
        return html`<parley-devices .client=${this.shell.client}></parley-devices>`;
      case "account":
        return this.#account();
    }
  }

  #account(): unknown {
    const words = text().settings;
    return html`<p class="lead" dir="auto">${words.signedInAs(this.app.user.value?.name ?? "")}</p>
      <button type="button" class="button" @click=${() => this.#signOut()}>
        ${icons.logOut("small")}${words.signOut}
      </button>
      <p class="hint">${words.signOutHint}</p>`;
  }

  #signOut(): void {
    this.close();
    this.app.signOut().catch(() => undefined);
  }

  /** Up and down as the tabs stand; on a phone they stand in a row. */
  #key(event: KeyboardEvent): void {
    const at = SECTIONS.indexOf(this.section);
    const forward = getComputedStyle(this).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const back = forward === "ArrowRight" ? "ArrowLeft" : "ArrowRight";
    const to: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      [forward]: at + 1,
      ArrowUp: at - 1,
      [back]: at - 1,
      Home: 0,
      End: -1,
    };
    const index = to[event.key];
    if (index === undefined) return;
    event.preventDefault();
    this.section = SECTIONS.at(index % SECTIONS.length) ?? "general";
    this.updateComplete.then(
      () => this.querySelector<HTMLElement>('[role="tab"][aria-selected="true"]')?.focus(),
      () => undefined,
    );
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has("section")) return;
    this.querySelector('[role="tab"][aria-selected="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.querySelector(".body")?.scrollTo(0, 0);
  }

  protected override firstUpdated(): void {
    super.firstUpdated();
    this.querySelector<HTMLElement>('[role="tab"][aria-selected="true"]')?.focus();
  }
}

define("parley-settings", ParleySettings);
