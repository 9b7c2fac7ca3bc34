import { css, html, nothing } from "lit";
import type { AppStore } from "../../store/app.ts";
import type { SharedConversation } from "../../store/shared.ts";
import { errorText } from "../../text/error-text.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import "./shared-file.ts";

const sharedSheet = css`
  parley-shared {
    position: sticky;
    bottom: 0;
    display: block;
    padding-block: 8px 16px;
    background: var(--ground);
  }

  .content:has(> parley-shared) {
    display: flex;
    flex-direction: column;
  }

  .transcript[data-read-only] {
    flex: 1;
    min-height: 0;
  }

  parley-shared .note {
    display: flex;
    gap: 10px;
    align-items: center;
    padding: 10px 16px;
    border: 1px solid var(--line);
    border-radius: 14px;
    background: var(--surface);
    color: var(--muted);
    font: var(--control);
  }

  /* Nothing here is the reader's to change; the server would refuse it anyway. */
  .transcript[data-read-only] :is(.when-idle, .versions, parley-approval .answers, parley-editor) {
    display: none;
  }
`;

/** Says whose conversation is read by the link, or that the link opens nothing. */
class ParleyShared extends ParleyElement {
  static override readonly sheets = [sharedSheet];
  static override readonly properties = { app: { attribute: false }, shared: { attribute: false } };
  declare app: AppStore;
  declare shared: SharedConversation;

  protected override render(): unknown {
    const error = this.shared.error.value ?? this.#lost();
    const words = text().conversations;
    if (error !== undefined) {
      const gone = error.code === "NOT_FOUND";
      return html`<div class="apology" role="alert">
        ${icons.alert()}
        <h2>${gone ? words.sharedGone : text().chat.notOpened}</h2>
        <p>${gone ? words.sharedGoneWhy : errorText(error)}</p>
        ${
          gone
            ? html`<button class="button" @click=${() => this.app.router.go({ kind: "home" })}>
                ${text().common.newConversation}
              </button>`
            : html`<button class="button" @click=${() => this.shared.retry()}>
                ${icons.retry("small")}${text().common.tryAgain}
              </button>`
        }
      </div>`;
    }
    const sharer = this.shared.sharedBy.value;
    return sharer === undefined
      ? nothing
      : html`<p class="note">${icons.share("small")}<span>${words.sharedBy(sharer.name)}</span></p>`;
  }

  /** The link was revoked while it was read. */
  #lost() {
    const open = this.app.current.value;
    return open?.status.value === "failed" ? open.error.value : undefined;
  }
}

define("parley-shared", ParleyShared);
