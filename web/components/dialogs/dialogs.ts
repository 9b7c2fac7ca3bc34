import { html, nothing, type PropertyValues } from "lit";
import { MAX_FOLDER_NAME } from "../../../src/protocol/constants.ts";
import { ParleyError } from "../../../src/protocol/errors.ts";
import type { Share } from "../../../src/protocol/shapes.ts";
import type { AppStore } from "../../store/app.ts";
import type { Dialog } from "../../store/organise.ts";
import { errorText } from "../../text/error-text.ts";
import { dateTime } from "../../text/locale.ts";
import { text } from "../../text/text.ts";
import { copyText } from "../copy.ts";
import { define, ParleyElement } from "../element.ts";
import { dialogsSheet } from "./dialogs.style.ts";

/** What is known of a conversation's link. */
type ShareState =
  | { readonly kind: "loading" }
  | { readonly kind: "known"; readonly share: Share | null; readonly url?: string; readonly revoked?: true }
  | { readonly kind: "failed"; readonly error: ParleyError };

/** The dialogs that the list's menus open: a link to a conversation, the name of a folder. */
class ParleyDialogs extends ParleyElement {
  static override readonly sheets = [dialogsSheet];
  static override readonly properties = {
    app: { attribute: false },
    share: { state: true },
    wrong: { state: true },
    working: { state: true },
    copied: { state: true },
  };
  declare app: AppStore;
  declare share: ShareState;
  declare wrong: string;
  declare working: boolean;
  declare copied: boolean;
  #shown: Dialog | undefined;
  #opener: Element | null = null;

  constructor() {
    super();
    this.share = { kind: "loading" };
    this.wrong = "";
    this.working = false;
    this.copied = false;
  }

  protected override render(): unknown {
    const dialog = this.app.organise.dialog.value;
    if (dialog === undefined) return nothing;
    return html`<dialog
      aria-labelledby="dialog-title"
      @close=${() => this.#closed()}
      @click=${(event: Event) => this.#outside(event)}
    >
      ${dialog.kind === "share" ? this.#sharing(dialog.conversation.id) : this.#folder(dialog)}
    </dialog>`;
  }

  // ── a folder ────────────────────────────────────────────────────────────────────────────────────────────────────

  #folder(dialog: Extract<Dialog, { readonly kind: "folder" }>): unknown {
    const words = text().conversations;
    const { folder } = dialog;
    return html`<form @submit=${(event: SubmitEvent) => this.#named(event, dialog)}>
      <h2 id="dialog-title">${folder === undefined ? words.newFolder : words.renameFolder}</h2>
      <label
        >${words.folderName}
        <input
          name="name"
          required
          maxlength=${MAX_FOLDER_NAME}
          autocomplete="off"
          .value=${folder?.name ?? ""}
          autofocus
        />
      </label>
      ${this.#failure()}
      <div class="answers">
        <button type="button" class="button" @click=${() => this.#close()}>${text().common.cancel}</button>
        <button class="button primary" ?disabled=${this.working}>
          ${folder === undefined ? words.create : words.save}
        </button>
      </div>
    </form>`;
  }

  #named(event: SubmitEvent, { folder, conversation }: Extract<Dialog, { readonly kind: "folder" }>): void {
    event.preventDefault();
    const form = event.currentTarget;
    const field = form instanceof HTMLFormElement ? form.querySelector("input") : null;
    const name = field?.value.trim() ?? "";
    if (name === "") return;
    const { organise } = this.app;
    const work =
      folder === undefined ? organise.createFolder(name, conversation) : organise.renameFolder(folder.id, name);
    this.#work(work, () => this.#close());
  }

  #work(work: Promise<void>, done: () => void): void {
    if (this.working) return;
    [this.working, this.wrong] = [true, ""];
    work
      .then(done, (error: unknown) => {
        this.wrong = error instanceof ParleyError ? errorText(error) : text().errors.somethingFailed;
      })
      .finally(() => (this.working = false));
  }

  #failure(): unknown {
    return html`<p class="wrong" role="alert">${this.wrong}</p>`;
  }

  // ── a link ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #sharing(id: string): unknown {
    const words = text().conversations;
    return html`<h2 id="dialog-title">${words.shareTitle}</h2>
      <p>${words.shareWhat}</p>
      ${this.#link()} ${this.#failure()}
      <div class="answers">${this.#shareAnswers(id)}</div>`;
  }

  #link(): unknown {
    const words = text().conversations;
    const { share } = this;
    if (share.kind !== "known") return nothing;
    if (share.url !== undefined) {
      return html`<div class="row">
          <label
            >${words.shareLink}
            <input
              class="link"
              readonly
              dir="ltr"
              .value=${share.url}
              @focus=${(event: FocusEvent) => selectAll(event.target)}
            />
          </label>
          <button class="button" @click=${() => this.#copy(share.url ?? "")}>
            ${this.copied ? text().common.copied : text().common.copy}
          </button>
        </div>
        <p role="status">${words.shareOnce}</p>`;
    }
    if (share.share === null) return html`<p role="status">${share.revoked ? words.shareRevoked : words.shareNone}</p>`;
    const when = dateTime(new Date(share.share.createdAt), { dateStyle: "medium", timeStyle: "short" });
    return html`<p>${words.shareThere(when)}</p>`;
  }

  #shareAnswers(id: string): unknown {
    const words = text().conversations;
    const { share } = this;
    const exists = share.kind === "known" && share.share !== null;
    return html`
      ${
        exists
          ? html`<button class="button" ?disabled=${this.working} @click=${() => this.#unshare(id)}>
              ${words.shareRevoke}
            </button>`
          : nothing
      }
      ${
        share.kind === "failed"
          ? html`<button class="button" @click=${() => this.#look(id)}>${text().common.tryAgain}</button>`
          : html`<button
              class="button ${exists ? "" : "primary"}"
              ?disabled=${this.working || share.kind === "loading"}
              @click=${() => this.#create(id)}
            >
              ${exists ? words.shareAgain : words.shareCreate}
            </button>`
      }
      <button class="button" @click=${() => this.#close()}>${text().common.close}</button>
    `;
  }

  #look(id: string): void {
    this.share = { kind: "loading" };
    this.app.organise.shareOf(id).then(
      (share) => (this.share = { kind: "known", share }),
      (cause: unknown) => {
        const error = cause instanceof ParleyError ? cause : new ParleyError("INTERNAL", { cause });
        [this.share, this.wrong] = [{ kind: "failed", error }, errorText(error)];
      },
    );
  }

  #create(id: string): void {
    this.copied = false;
    const work = this.app.organise.share(id).then((made) => {
      this.share = { kind: "known", ...made };
    });
    this.#work(work, () => this.#focusSoon(".link"));
  }

  #unshare(id: string): void {
    const work = this.app.organise.unshare(id).then(() => {
      this.share = { kind: "known", share: null, revoked: true };
    });
    this.#work(work, () => this.#focusSoon(".answers button:not(:disabled)"));
  }

  #copy(url: string): void {
    copyText(url).then(
      () => (this.copied = true),
      () => this.#focusSoon(".link"),
    );
  }

  // ── opening and closing ─────────────────────────────────────────────────────────────────────────────────────────

  #focusSoon(selector: string): void {
    this.updateComplete.then(
      () => this.querySelector<HTMLElement>(selector)?.focus(),
      () => undefined,
    );
  }

  #outside(event: Event): void {
    // A click on the dialog itself, not on what is in it: on its padding or beside it.
    const dialog = event.currentTarget;
    if (!(dialog instanceof HTMLDialogElement) || event.target !== dialog || !(event instanceof MouseEvent)) return;
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    if (x < left || x > right || y < top || y > bottom) this.#close();
  }

  #close(): void {
    this.querySelector("dialog")?.close();
  }

  #closed(): void {
    this.#shown = undefined;
    this.app.organise.closeDialog();
    const opener = this.#opener;
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
  }

  protected override updated(_changed: PropertyValues<this>): void {
    const dialog = this.app.organise.dialog.peek();
    if (dialog === this.#shown) return;
    this.#shown = dialog;
    if (dialog === undefined) return;
    this.#opener = document.activeElement;
    [this.wrong, this.copied] = ["", false];
    if (dialog.kind === "share") this.#look(dialog.conversation.id);
    const element = this.querySelector("dialog");
    element?.showModal();
    element?.querySelector("input")?.select();
  }
}

const selectAll = (field: EventTarget | null): void => {
  if (field instanceof HTMLInputElement) field.select();
};

define("parley-dialogs", ParleyDialogs);
