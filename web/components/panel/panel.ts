import { html } from "lit";
import type { AppStore } from "../../store/app.ts";
import type { Shell } from "../../store/shell.ts";
import { text } from "../../text/text.ts";
import { ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";

/** Something that lies over the page until it is closed: a modal dialog. Who extends it says what is in it. */
export abstract class ParleyPanel extends ParleyElement {
  static override readonly properties = { app: { attribute: false }, shell: { attribute: false } };
  declare app: AppStore;
  declare shell: Shell;

  /** The dialog's name. */
  protected abstract name(): string;
  protected abstract content(): unknown;
  /** Classes of the dialog. */
  protected abstract readonly look: string;

  protected override render(): unknown {
    return html`<dialog
      class="panel ${this.look}"
      aria-label=${this.name()}
      @close=${() => this.isConnected && this.shell.close()}
      @pointerdown=${(event: PointerEvent) => this.#pressed(event)}
    >
      ${this.content()}
    </dialog>`;
  }

  protected closeButton(): unknown {
    return html`<button
      type="button"
      class="icon-button"
      aria-label=${text().common.close}
      title=${text().common.close}
      @click=${() => this.close()}
    >
      ${icons.close()}
    </button>`;
  }

  /** Before something else has the focus, or another panel opens. */
  close(): void {
    this.querySelector("dialog")?.close();
    this.shell.close();
  }

  /** What is around the dialog is its own backdrop. */
  #pressed(event: PointerEvent): void {
    const dialog = event.currentTarget;
    if (!(dialog instanceof HTMLDialogElement) || event.target !== dialog) return;
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    if (x < left || x > right || y < top || y > bottom) this.close();
  }

  protected override firstUpdated(): void {
    this.querySelector("dialog")?.showModal();
  }
}
