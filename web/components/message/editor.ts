import { html } from "lit";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";

/** As the server takes it. */
const MAX_LENGTH = 100_000;

/** What was said, to be said differently. Fires `parley-edited` with the text as `detail`, or `parley-left`. */
class ParleyEditor extends ParleyElement {
  static override readonly properties = { text: { attribute: false }, written: { state: true } };
  declare text: string;
  declare written: string | undefined;

  constructor() {
    super();
    this.text = "";
    this.written = undefined;
  }

  protected override render(): unknown {
    const said = this.written ?? this.text;
    return html`<form class="editor" data-open-editor @submit=${(event: SubmitEvent) => this.#submitted(event)}>
      <textarea
        aria-label=${text().message.editMessage}
        dir="auto"
        maxlength=${MAX_LENGTH}
        enterkeyhint="send"
        .value=${said}
        @input=${(event: Event) => this.#input(event)}
        @keydown=${(event: KeyboardEvent) => this.#key(event)}
      ></textarea>
      <div class="controls">
        <span class="hint">${text().message.editHint}</span>
        <button type="button" class="button" @click=${() => this.#leave()}>${text().common.cancel}</button>
        <button class="button primary" ?disabled=${said.trim() === ""}>
          ${icons.arrowUp("small")}${text().message.send}
        </button>
      </div>
    </form>`;
  }

  #input({ target }: Event): void {
    if (target instanceof HTMLTextAreaElement) this.written = target.value;
  }

  #key(event: KeyboardEvent): void {
    // 229: the key belongs to an input method that does not say that it composes.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") this.#leave();
    else if (event.key === "Enter" && !event.shiftKey && !event.altKey) this.#send();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #submitted(event: SubmitEvent): void {
    event.preventDefault();
    this.#send();
  }

  #send(): void {
    const said = (this.written ?? this.text).trim();
    if (said === "") return;
    if (said === this.text.trim()) return this.#leave();
    this.dispatchEvent(new CustomEvent("parley-edited", { detail: said }));
  }

  #leave(): void {
    this.dispatchEvent(new Event("parley-left"));
  }

  protected override firstUpdated(): void {
    const field = this.querySelector("textarea");
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
  }
}

define("parley-editor", ParleyEditor);
