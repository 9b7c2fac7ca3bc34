import { html } from "lit";
import type { AppStore } from "../../store/app.ts";
import { SEND_MODES, type SendMode } from "../../store/send-mode.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { closeMenu, menuKeys, menuSheet, menuToggled } from "../menu/menu.ts";

const ICONS: Readonly<Record<SendMode, keyof typeof icons>> = { queue: "clock", steer: "join", interrupt: "stopped" };

/** Sends; while an answer is being written, says how, and lets one choose. Fires `parley-chose` after a choice. */
class ParleySend extends ParleyElement {
  static override readonly sheets = [menuSheet];
  static override readonly properties = {
    app: { attribute: false },
    busy: { attribute: false },
    blocked: { attribute: false },
  };
  declare app: AppStore;
  /** An answer is being written. */
  declare busy: boolean;
  /** Why nothing can be sent now; "" where it can. */
  declare blocked: string;

  protected override render(): unknown {
    const mode = this.app.sendMode.value;
    const words = text().composer;
    const label = this.busy ? words.modes[mode].send : words.sendMessage;
    const does = this.busy ? words.modes[mode].name : words.send;
    const send = html`<button
      class="round send"
      part="send"
      aria-label=${label}
      title=${this.blocked === "" ? words.enterKey(does) : this.blocked}
      aria-disabled=${this.blocked === "" ? "false" : "true"}
    >
      ${icons.arrowUp()}
    </button>`;
    return this.busy ? html`<span class="split">${this.#chooser(mode)}${send}</span>${this.#menu(mode)}` : send;
  }

  #chooser(mode: SendMode): unknown {
    const { name } = text().composer.modes[mode];
    return html`<button
      type="button"
      class="how"
      popovertarget="send-menu"
      aria-haspopup="menu"
      aria-label=${text().composer.whenSent(name)}
      title=${text().composer.anotherWay}
    >
      <span>${name}</span>${icons.chevronUp("small")}
    </button>`;
  }

  #menu(chosen: SendMode): unknown {
    return html`<div
      class="menu"
      id="send-menu"
      popover="auto"
      role="menu"
      aria-label=${text().composer.whileAnswering}
      data-align="end"
      @toggle=${menuToggled}
      @keydown=${menuKeys}
    >
      ${SEND_MODES.map((mode) => {
        const { name, hint } = text().composer.modes[mode];
        return html`<button
          type="button"
          role="menuitemradio"
          tabindex="-1"
          aria-checked=${mode === chosen ? "true" : "false"}
          @click=${(event: Event) => this.#choose(event, mode)}
        >
          ${icons[ICONS[mode]]()}<span>${name}<span class="hint">${hint}</span></span
          >${mode === chosen ? html`<span class="trailing">${icons.check("small")}</span>` : ""}
        </button>`;
      })}
    </div>`;
  }

  #choose(event: Event, mode: SendMode): void {
    closeMenu(event.currentTarget);
    this.app.sendMode.value = mode;
    this.dispatchEvent(new Event("parley-chose", { bubbles: true }));
  }
}

define("parley-send", ParleySend);
