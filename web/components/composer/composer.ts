import { html, nothing, type PropertyValues } from "lit";
import type { AppStore } from "../../store/app.ts";
import { ACCEPTED } from "../../store/file-kind.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { composerSheet } from "./composer.style.ts";
import { hasLetters } from "./has-letters.ts";
import { queueSheet } from "./queue.style.ts";
import type { ParleySlash, Slash } from "./slash.ts";
import "./model-picker.ts";
import "./queue.ts";
import "./send-button.ts";

const KEEP_MS = 300;
/** As the server takes it. */
const MAX_LENGTH = 100_000;

/** Where one writes. Fires `parley-sent` when something was. */
class ParleyComposer extends ParleyElement {
  static override readonly sheets = [composerSheet, queueSheet];
  static override readonly properties = {
    app: { attribute: false },
    conversationId: { attribute: false },
    text: { state: true },
  };
  declare app: AppStore;
  /** `new`: the one that begins with this message. */
  declare conversationId: string;
  declare text: string;
  #keepTimer: ReturnType<typeof setTimeout> | undefined;
  #wasStarting = false;
  readonly #keepNow = (): void => this.#keep(this.conversationId);

  constructor() {
    super();
    this.text = "";
    this.conversationId = "new";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("pagehide", this.#keepNow);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("pagehide", this.#keepNow);
    this.#keepNow();
  }

  override focus(options?: FocusOptions): void {
    this.querySelector("textarea")?.focus(options);
  }

  /** Puts a text in, as if it had been written. */
  suggest(wish: string): void {
    this.text = wish;
    this.#submit();
  }

  /** In place of what stands there; the first `{{…}}` of it is selected, to be filled in. */
  insert(words: string): void {
    this.text = words;
    this.#keep(this.conversationId);
    this.updateComplete.then(
      () => {
        const field = this.querySelector("textarea");
        const blank = /\{\{[^{}]*\}\}/.exec(words);
        field?.focus();
        if (blank === null) field?.setSelectionRange(words.length, words.length);
        else field?.setSelectionRange(blank.index, blank.index + blank[0].length);
      },
      () => undefined,
    );
  }

  #slash(chosen: Slash): void {
    this.insert(chosen.kind === "prompt" ? chosen.text : "");
    if (chosen.kind === "command") this.updateComplete.then(chosen.run, () => undefined);
  }

  /** Files that were chosen, pasted or dropped. */
  attach(files: Iterable<File>): void {
    this.app.attachments.add(this.conversationId, files);
    this.focus();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("conversationId");
    if (changed.has("conversationId")) {
      if (typeof before === "string") this.#keep(before);
      this.text = this.app.drafts.peek()?.read(this.conversationId).text ?? "";
      this.app.attachments.restore(this.conversationId);
    }
  }

  protected override render(): unknown {
    const conversation = this.app.current.value;
    const starting = this.app.start.value !== undefined;
    this.#recover(starting);
    const running = conversation?.view.activeRun.value !== undefined;
    const busy = conversation?.busy.value === true;
    const stopping = conversation?.stopping.value === true;
    const empty = this.text.trim() === "";
    const attached = this.app.attachments.of(this.conversationId).some(({ state }) => state.kind !== "refused");
    return html`<parley-queue .app=${this.app}></parley-queue>
      ${this.#notice()}
      <form
        class="composer"
        part="composer"
        @submit=${(event: SubmitEvent) => this.#submitted(event)}
        @pointerdown=${(event: PointerEvent) => this.#pressed(event)}
        @parley-chose=${() => this.focus()}
      >
        <parley-attachments .app=${this.app} .conversationId=${this.conversationId}></parley-attachments>
        <parley-slash
          .app=${this.app}
          .written=${this.text}
          @parley-slash=${(event: CustomEvent<Slash>) => this.#slash(event.detail)}
        ></parley-slash>
        <textarea
          rows="1"
          aria-label=${text().composer.message}
          placeholder=${placeholder(busy, attached)}
          enterkeyhint="send"
          autocomplete="off"
          dir=${hasLetters(this.text) ? "auto" : nothing}
          maxlength=${MAX_LENGTH}
          .value=${this.text}
          @input=${(event: InputEvent) => this.#written(event)}
          @keydown=${(event: KeyboardEvent) => this.#key(event)}
          @paste=${(event: ClipboardEvent) => this.#pasted(event)}
        ></textarea>
        <div class="controls">
          ${this.app.embedded ? nothing : this.#attachButton()}
          <parley-model-picker .app=${this.app}></parley-model-picker>
          <span class="push"></span>
          ${running ? this.#stopButton(stopping, empty && !attached) : nothing}
          ${
            running && empty && !attached
              ? nothing
              : html`<parley-send
                  .app=${this.app}
                  .busy=${busy}
                  .blocked=${this.#blocked(empty, starting)}
                ></parley-send>`
          }
        </div>
      </form>`;
  }

  #blocked(empty: boolean, starting: boolean): string {
    if (this.app.attachments.uploading(this.conversationId)) return text().composer.filesUploading;
    if (empty) return text().composer.writeFirst;
    return starting ? text().composer.starting : "";
  }

  #attachButton(): unknown {
    return html`<button
        type="button"
        class="icon-button"
        data-attach
        aria-label=${text().composer.attach}
        title=${text().composer.attach}
        @click=${() => this.querySelector<HTMLInputElement>("input[type=file]")?.click()}
      >
        ${icons.attach()}
      </button>
      <input type="file" multiple hidden accept=${ACCEPTED} @change=${(event: Event) => this.#chosen(event)} />`;
  }

  #stopButton(stopping: boolean, alone: boolean): unknown {
    return html`<button
      type="button"
      class="round stop ${alone ? "strong" : ""}"
      aria-label=${text().composer.stop}
      title=${text().composer.stopKey}
      ?disabled=${stopping}
      @click=${() => this.app.current.value?.stop()}
    >
      ${icons.stop()}
    </button>`;
  }

  #notice(): unknown {
    const notice = this.app.notice.value;
    return notice === undefined
      ? nothing
      : html`<div class="notice" role="alert">
          ${icons.alert("small")}<span>${notice}</span>
          <button
            type="button"
            class="icon-button"
            aria-label=${text().composer.dismiss}
            title=${text().composer.dismiss}
            @click=${() => (this.app.notice.value = undefined)}
          >
            ${icons.close("small")}
          </button>
        </div>`;
  }

  /** A conversation could not be begun: its first message is the person's again. */
  #recover(starting: boolean): void {
    const failed = this.#wasStarting && !starting && this.conversationId === "new" && this.text === "";
    this.#wasStarting = starting;
    if (failed) this.text = this.app.drafts.peek()?.read("new").text ?? "";
  }

  #written(event: InputEvent): void {
    if (event.target instanceof HTMLTextAreaElement) this.text = event.target.value;
    this.#keepTimer ??= setTimeout(this.#keepNow, KEEP_MS);
  }

  #keep(conversationId: string): void {
    clearTimeout(this.#keepTimer);
    this.#keepTimer = undefined;
    // What is being sent has its own place until it is.
    if (conversationId === "new" && this.app.start.peek() !== undefined) return;
    this.app.drafts.peek()?.write(conversationId, { text: this.text });
  }

  #chosen({ target }: Event): void {
    if (!(target instanceof HTMLInputElement)) return;
    this.attach([...(target.files ?? [])]);
    // The same file may be chosen again.
    target.value = "";
  }

  /** Text goes where it always does, also that of a table that comes with a picture of itself. */
  #pasted(event: ClipboardEvent): void {
    const { clipboardData } = event;
    if (this.app.embedded || clipboardData === null || clipboardData.files.length === 0) return;
    if (clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    this.attach([...clipboardData.files]);
  }

  #key(event: KeyboardEvent): void {
    // 229: the key belongs to an input method that does not say that it composes.
    const composes = event.isComposing || event.keyCode === 229;
    // Until it has loaded, what is written is only text.
    if (this.querySelector<Partial<ParleySlash> & HTMLElement>("parley-slash")?.pressed?.(event) === true) return;
    if (event.key !== "Enter" || event.shiftKey || event.altKey || composes) return;
    event.preventDefault();
    this.#submit();
  }

  #submitted(event: SubmitEvent): void {
    event.preventDefault();
    this.#submit();
  }

  /** The box around the field belongs to it. */
  #pressed(event: PointerEvent): void {
    const { target } = event;
    if (!(target instanceof Element) || target.closest("button, textarea, .attachments, [popover]") !== null) return;
    event.preventDefault();
    this.focus();
  }

  #submit(): void {
    const message = this.text.trim();
    if (message === "" || !this.app.send(message)) return;
    this.text = "";
    this.#keep(this.conversationId);
    this.dispatchEvent(new Event("parley-sent", { bubbles: true }));
  }

  protected override updated(): void {
    const field = this.querySelector("textarea");
    if (field === null || CSS.supports("field-sizing", "content")) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }
}

function placeholder(busy: boolean, attached: boolean): string {
  if (attached) return text().composer.placeholderFiles;
  return busy ? text().composer.placeholderBusy : text().composer.placeholder;
}

define("parley-composer", ParleyComposer);
export type { ParleyComposer };
