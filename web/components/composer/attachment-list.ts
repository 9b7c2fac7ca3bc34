import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { AppStore } from "../../store/app.ts";
import type { Attachment } from "../../store/attachments.ts";
import { sizeText } from "../../store/file-kind.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";

/** The files that go with the next message. */
class ParleyAttachments extends ParleyElement {
  static override readonly properties = { app: { attribute: false }, conversationId: { attribute: false } };
  declare app: AppStore;
  declare conversationId: string;

  protected override render(): unknown {
    const attachments = this.app.attachments.of(this.conversationId);
    if (attachments.length === 0) return nothing;
    return html`<ul class="attachments" aria-label=${text().composer.attachedFiles}>
      ${repeat(
        attachments,
        ({ id }) => id,
        (attachment) => this.#item(attachment),
      )}
    </ul>`;
  }

  #item(attachment: Attachment): unknown {
    const { id, name, size, preview, state } = attachment;
    const refused = state.kind === "refused";
    return html`<li class=${state.kind}>
      ${
        preview === undefined
          ? html`<span class="thumb">${refused ? icons.alert("small") : icons.file("small")}</span>`
          : html`<img class="thumb" src=${preview} alt="" width="36" height="36" />`
      }
      <span class="about">
        <span class="name" title=${name} dir="auto">${name}</span>
        ${
          refused
            ? html`<span class="reason" role="alert">${state.reason}</span>`
            : html`<span class="size">${state.kind === "uploading" ? text().composer.uploading : sizeText(size)}</span>`
        }
        ${state.kind === "uploading" ? html`<progress aria-label=${text().composer.uploadingFile(name)}></progress>` : nothing}
      </span>
      ${
        refused && state.again
          ? html`<button
              type="button"
              class="icon-button"
              aria-label=${text().composer.uploadAgain(name)}
              title=${text().common.tryAgain}
              @click=${() => this.app.attachments.retry(id)}
            >
              ${icons.retry("small")}
            </button>`
          : nothing
      }
      <button
        type="button"
        class="icon-button"
        aria-label=${text().composer.removeFile(name)}
        title=${text().common.remove}
        data-remove
        @click=${() => this.#remove(id)}
      >
        ${icons.close("small")}
      </button>
    </li>`;
  }

  /** The next one's button has the focus then, or the field. */
  #remove(id: string): void {
    const at = this.app.attachments.of(this.conversationId).findIndex((one) => one.id === id);
    this.app.attachments.remove(id);
    this.updateComplete.then(
      () => {
        const buttons = this.querySelectorAll<HTMLElement>("[data-remove]");
        const next = buttons[Math.min(at, buttons.length - 1)];
        if (next === undefined) this.dispatchEvent(new Event("parley-chose", { bubbles: true }));
        else next.focus();
      },
      () => undefined,
    );
  }
}

define("parley-attachments", ParleyAttachments);
