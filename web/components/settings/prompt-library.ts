import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { ParleyError } from "../../../src/protocol/errors.ts";
import type { Prompt } from "../../../src/protocol/shapes.ts";
import type { Shell } from "../../store/shell.ts";
import { errorText } from "../../text/error-text.ts";
import { text } from "../../text/text.ts";
import { define } from "../element.ts";
import { icons } from "../icons.ts";
import { EditableRows } from "./editable-rows.ts";
import "./delete-button.ts";

/** As the server takes them. */
const MAX_NAME = 60;
const MAX_LENGTH = 4_000;
/** In place of the id of one that is edited. */
const NEW = "";

/** The texts that a person begins messages with. */
class ParleyPromptLibrary extends EditableRows {
  static override readonly properties = {
    ...EditableRows.properties,
    shell: { attribute: false },
    issue: { state: true },
    saving: { state: true },
  };
  declare shell: Shell;
  declare issue: string | undefined;
  declare saving: boolean;

  constructor() {
    super();
    this.issue = undefined;
    this.saving = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.shell.prompts.load();
  }

  protected override render(): unknown {
    const words = text().prompts;
    const prompts = this.shell.prompts.items.value;
    return html`<p class="lead">${words.hint}</p>
      ${this.#trouble()}
      ${
        this.editing === NEW
          ? this.#editor(undefined)
          : html`<button type="button" class="button" data-edit=${NEW} @click=${() => this.edit(NEW)}>
              ${icons.newChat("small")}${words.new}
            </button>`
      }
      ${prompts?.length === 0 && this.editing !== NEW ? html`<p class="none">${words.none}</p>` : nothing}
      ${
        prompts === undefined || prompts.length === 0
          ? nothing
          : html`<ul class="rows">
              ${repeat(
                prompts,
                ({ id }) => id,
                (prompt) => html`<li>${prompt.id === this.editing ? this.#editor(prompt) : this.#row(prompt)}</li>`,
              )}
            </ul>`
      }`;
  }

  #trouble(): unknown {
    const { failed, items } = this.shell.prompts;
    if (this.issue !== undefined && this.editing === undefined) return this.#issue(this.issue);
    if (items.value !== undefined) return nothing;
    return failed.value
      ? this.#issue(text().settings.failed)
      : html`<p class="hint" role="status">${text().settings.loading}</p>`;
  }

  #issue(issue: string): unknown {
    return html`<p class="issue" role="alert">${icons.alert("small")}<span>${issue}</span></p>`;
  }

  #row({ id, name, text: body }: Prompt): unknown {
    const words = text().prompts;
    return html`<div class="about">
        <strong dir="auto">${name}</strong>
        <span class="hint clamp" dir="auto">${body}</span>
      </div>
      ${this.editButton(id, words.edit(name))}
      <parley-delete .name=${words.delete(name)} @parley-delete=${() => this.#delete(id)}></parley-delete>`;
  }

  #editor(prompt: Prompt | undefined): unknown {
    const words = text().prompts;
    return html`<form
      class="edit"
      novalidate
      data-open-editor
      @submit=${(event: SubmitEvent) => this.#submitted(event, prompt?.id)}
      @keydown=${(event: KeyboardEvent) => this.pressed(event)}
    >
      <label
        >${words.name}<input
          name="name"
          maxlength=${MAX_NAME}
          dir="auto"
          autocomplete="off"
          .value=${prompt?.name ?? ""}
      /></label>
      <label
        >${words.text}<textarea
          name="text"
          rows="5"
          maxlength=${MAX_LENGTH}
          dir="auto"
          .value=${prompt?.text ?? ""}
        ></textarea>
      </label>
      ${this.issue === undefined ? nothing : this.#issue(this.issue)}
      <div class="answers">
        <button type="button" class="button" @click=${() => this.leave()}>${text().common.cancel}</button>
        <button class="button primary" ?disabled=${this.saving}>${text().settings.save}</button>
      </div>
    </form>`;
  }

  protected override edit(id: string): void {
    this.issue = undefined;
    super.edit(id);
  }

  protected override leave(): void {
    this.issue = undefined;
    super.leave();
  }

  #submitted(event: SubmitEvent, promptId: string | undefined): void {
    event.preventDefault();
    const name = this.querySelector<HTMLInputElement>("[name=name]")?.value.trim() ?? "";
    const body = this.querySelector<HTMLTextAreaElement>("[name=text]")?.value.trim() ?? "";
    if (name === "" || body === "") {
      this.issue = text().prompts.nameFirst;
      return this.focusOn(name === "" ? "[name=name]" : "[name=text]");
    }
    this.saving = true;
    this.shell.prompts
      .save({ ...(promptId === undefined ? {} : { promptId }), name, text: body })
      .then(
        () => this.leave(),
        (error: unknown) => this.#failed(error),
      )
      .finally(() => (this.saving = false));
  }

  #delete(promptId: string): void {
    this.issue = undefined;
    this.shell.prompts.delete(promptId).then(
      () => this.focusPanel(),
      (error: unknown) => this.#failed(error),
    );
  }

  #failed(error: unknown): void {
    this.issue = error instanceof ParleyError ? errorText(error) : text().errors.somethingFailed;
  }
}

define("parley-prompt-library", ParleyPromptLibrary);
