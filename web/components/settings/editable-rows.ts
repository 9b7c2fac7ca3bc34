import { html } from "lit";
import { text } from "../../text/text.ts";
import { ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";

/** Rows of which one at a time is edited in its place: the focus goes into the form, and from it back to the row. */
export abstract class EditableRows extends ParleyElement {
  static override readonly properties = { editing: { state: true } };
  /** The id of what is edited. */
  declare editing: string | undefined;

  constructor() {
    super();
    this.editing = undefined;
  }

  /** `name`: of what it edits, for who listens. */
  protected editButton(id: string, name: string): unknown {
    return html`<button
      type="button"
      class="icon-button"
      data-edit=${id}
      aria-label=${name}
      title=${text().settings.edit}
      @click=${() => this.edit(id)}
    >
      ${icons.pencil("small")}
    </button>`;
  }

  protected edit(id: string): void {
    this.editing = id;
    this.focusOn("form.edit :is(input, textarea)");
  }

  protected leave(): void {
    const id = this.editing;
    this.editing = undefined;
    if (id !== undefined) this.focusOn(`[data-edit="${CSS.escape(id)}"]`);
  }

  /** When it stands. */
  protected focusOn(selector: string): void {
    this.updateComplete.then(
      () => this.querySelector<HTMLElement>(selector)?.focus(),
      () => undefined,
    );
  }

  /** Escape leaves the form, not the settings. */
  protected pressed(event: KeyboardEvent): void {
    if (event.isComposing || event.key !== "Escape") return;
    event.preventDefault();
    this.leave();
  }

  /** What had the focus is gone. */
  protected focusPanel(): void {
    this.closest<HTMLElement>("[role=tabpanel]")?.focus();
  }
}
