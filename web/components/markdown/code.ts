import { html } from "lit";
import { text } from "../../text/text.ts";
import { copyText } from "../copy.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { appendText } from "./append-text.ts";

const COPIED_MS = 2_000;

/** A block of code and what copies it. */
class ParleyCode extends ParleyElement {
  static override readonly properties = {
    code: { attribute: false },
    language: { attribute: false },
    copied: { state: true },
  };
  declare code: string;
  declare language: string;
  declare copied: boolean;

  constructor() {
    super();
    this.code = "";
    this.language = "";
    this.copied = false;
  }

  protected override render(): unknown {
    const words = text().code;
    const name = /^[\w+#.-]{1,24}/.exec(this.language)?.[0];
    return html`<figure class="code">
      <figcaption>
        <span>${name ?? words.code}</span>
        <button
          class="copy"
          @click=${() => this.#copy()}
          aria-label=${name === undefined ? words.copy : words.copyIn(name)}
        >
          ${this.copied ? icons.check("small") : icons.copy("small")}<span aria-live="polite"
            >${this.copied ? text().common.copied : text().common.copy}</span
          >
        </button>
      </figcaption>
      <pre
        tabindex="0"
        role="group"
        aria-label=${name === undefined ? words.code : words.codeIn(name)}
      ><code dir="ltr">${appendText(this.code)}</code></pre>
    </figure>`;
  }

  #copy(): void {
    copyText(this.code).then(
      (done) => {
        this.copied = done;
        setTimeout(() => (this.copied = false), COPIED_MS);
      },
      () => undefined,
    );
  }
}

define("parley-code", ParleyCode);
