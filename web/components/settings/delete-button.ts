import { css, html } from "lit";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";

const deleteSheet = css`
  parley-delete .danger {
    border-color: var(--bad);
    color: var(--bad);
  }

  parley-delete .danger:hover:not(:disabled) {
    background: var(--bad-ground);
  }
`;

/** Asks once more before it fires `parley-delete`; leaving it takes the question back. */
class ParleyDelete extends ParleyElement {
  static override readonly sheets = [deleteSheet];
  static override readonly properties = { name: { attribute: false }, asking: { state: true } };
  /** What would be deleted. */
  declare name: string;
  declare asking: boolean;

  constructor() {
    super();
    this.name = "";
    this.asking = false;
  }

  protected override render(): unknown {
    const words = text().settings;
    return html`<button
      type="button"
      class=${this.asking ? "button danger" : "icon-button"}
      aria-label=${this.asking ? `${words.reallyDelete} ${this.name}` : this.name}
      title=${words.delete}
      @click=${() => this.#pressed()}
      @blur=${() => (this.asking = false)}
    >
      ${icons.trash("small")}${this.asking ? words.reallyDelete : ""}
    </button>`;
  }

  #pressed(): void {
    if (this.asking) this.dispatchEvent(new Event("parley-delete"));
    this.asking = !this.asking;
  }
}

define("parley-delete", ParleyDelete);
