import { html, nothing } from "lit";
import type { Keys } from "../../store/keys.ts";
import { text } from "../../text/text.ts";
import { commands } from "../commands/commands.ts";
import { define } from "../element.ts";
import { panelSheet } from "../panel/panel.style.ts";
import { ParleyPanel } from "../panel/panel.ts";
import { keyCaps } from "./key-caps.ts";
import { shortcutsSheet } from "./shortcuts.style.ts";

/** Which keys do what, under the names that they have on this platform. */
class ParleyShortcuts extends ParleyPanel {
  static override readonly sheets = [panelSheet, shortcutsSheet];
  protected override readonly look = "shortcuts";

  protected override name(): string {
    return text().shortcuts.title;
  }

  protected override content(): unknown {
    const words = text().shortcuts;
    const everywhere = commands(this.app, this.shell).flatMap(({ id, name, keys = [] }) =>
      keys.length === 0 ? [] : [this.#row(id === "stop" ? words.close : name, keys)],
    );
    return html`<header>
        <h2>${words.title}</h2>
        ${this.closeButton()}
      </header>
      <div class="body" tabindex="0" role="group" aria-label=${words.title}>
        <h3>${words.everywhere}</h3>
        <dl>${everywhere} ${this.#row(words.rename, [{ key: "F2" }])}</dl>
        <h3>${words.inField}</h3>
        <dl>
          ${this.#row(words.send, [{ key: "Enter" }])} ${this.#row(words.newLine, [{ key: "Enter", shift: true }])}
          ${this.#row(words.slash, [{ key: "/" }])}
        </dl>
        <h3>${words.inLists}</h3>
        <dl>
          ${this.#row(words.move, [{ key: words.keys.down }, { key: words.keys.up }])}
          ${this.#row(words.choose, [{ key: "Enter" }])}
        </dl>
        ${this.shell.singleKeys.value ? nothing : html`<p class="hint">${words.singleOff}</p>`}
      </div>`;
  }

  #row(name: string, keys: readonly Keys[]): unknown {
    return html`<div>
      <dt>${name}</dt>
      <dd>${keys.map((each) => keyCaps(each))}</dd>
    </div>`;
  }
}

define("parley-shortcuts", ParleyShortcuts);
