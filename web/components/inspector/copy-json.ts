import { html } from "lit";
import { text } from "../../text/text.ts";
import { copyText } from "../copy.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";

const COPIED_MS = 2_000;

/** Puts what is shown into the clipboard, as JSON. */
class ParleyCopyJson extends ParleyElement {
  static override readonly properties = { value: { attribute: false }, copied: { state: true } };
  declare value: () => unknown;
  declare copied: boolean;

  constructor() {
    super();
    this.copied = false;
  }

  protected override render(): unknown {
    return html`<button class="button" @click=${() => this.#copy()}>
      ${this.copied ? icons.check("small") : icons.copy("small")}<span aria-live="polite"
        >${this.copied ? text().common.copied : text().inspector.copyJson}</span
      >
    </button>`;
  }

  #copy(): void {
    copyText(JSON.stringify(this.value(), null, 2)).then(
      (done) => {
        this.copied = done;
        setTimeout(() => (this.copied = false), COPIED_MS);
      },
      () => undefined,
    );
  }
}

define("parley-copy-json", ParleyCopyJson);
