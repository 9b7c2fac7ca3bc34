import { css, html, nothing, type PropertyValues } from "lit";
import type { AppStore } from "../../store/app.ts";
import type { Toast } from "../../store/toasts.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";

const toastSheet = css`
  parley-toast {
    position: fixed;
    z-index: 30;
    inset-inline: 16px;
    bottom: max(20px, env(safe-area-inset-bottom));
    display: grid;
    justify-content: center;
    pointer-events: none;
  }

  .toast {
    display: flex;
    align-items: center;
    gap: 8px;
    max-width: 480px;
    min-height: 44px;
    padding: 4px 6px 4px 16px;
    border: 1px solid var(--line);
    border-radius: 14px;
    background: var(--raised);
    box-shadow: var(--shadow-menu);
    color: var(--text);
    font: var(--control);
    pointer-events: auto;
  }

  .toast:dir(rtl) {
    padding: 4px 16px 4px 6px;
  }

  .toast .undo {
    min-height: var(--target);
    padding: 0 10px;
    border-radius: 9px;
    color: var(--accent);
    font-weight: 550;
    white-space: nowrap;
  }

  .toast .undo:hover {
    background: var(--hover);
  }
`;

/** A word on what was just done, with a way back; it stays while somebody is at it. */
class ParleyToast extends ParleyElement {
  static override readonly sheets = [toastSheet];
  static override readonly properties = { app: { attribute: false } };
  declare app: AppStore;
  #shown: Toast | undefined;

  protected override render(): unknown {
    const toast = this.app.toasts.current.value;
    return html`<div role="status">
        ${toast === undefined ? nothing : html`<span class="hidden-visually">${toast.text}</span>`}
      </div>
      ${toast === undefined ? nothing : this.#toast(toast)}`;
  }

  #toast(toast: Toast): unknown {
    const { toasts } = this.app;
    const hold = () => toasts.hold();
    const resume = () => toasts.resume();
    return html`<div
      class="toast"
      role="region"
      aria-label=${toast.text}
      data-open-toast
      @pointerenter=${hold}
      @pointerleave=${resume}
      @focusin=${hold}
      @focusout=${resume}
      @keydown=${(event: KeyboardEvent) => this.#key(event)}
    >
      <span aria-hidden="true">${toast.text}</span>
      ${
        toast.action === undefined
          ? nothing
          : html`<button class="undo" @click=${() => this.#undo(toast)}>${toast.action.label}</button>`
      }
      <button
        class="icon-button"
        aria-label=${text().conversations.dismiss}
        title=${text().conversations.dismiss}
        @click=${() => toasts.hide()}
      >
        ${icons.close("small")}
      </button>
    </div>`;
  }

  #undo(toast: Toast): void {
    this.app.toasts.hide();
    toast.action?.run();
  }

  #key(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.app.toasts.hide();
  }

  protected override updated(_changed: PropertyValues<this>): void {
    const toast = this.app.toasts.current.peek();
    if (toast === this.#shown) return;
    this.#shown = toast;
    if (toast?.focus === true) this.querySelector<HTMLElement>(".undo")?.focus();
  }
}

define("parley-toast", ParleyToast);
