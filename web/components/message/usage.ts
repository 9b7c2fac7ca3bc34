import { html, nothing } from "lit";
import type { Usage } from "../../../src/protocol/shapes.ts";
import { define, ParleyElement } from "../element.ts";
import { placeBeside } from "../menu/menu.ts";
import { usageRows, usageText } from "./usage-text.ts";

/** Leaving the button for what it opened takes a moment. */
const LEAVE_MS = 200;

/** What an answer took: a word of it, and all of it to whoever points at it or tabs to it. */
class ParleyUsage extends ParleyElement {
  static override readonly properties = {
    messageId: { attribute: false },
    usage: { attribute: false },
    model: { attribute: false },
    open: { state: true },
  };
  declare messageId: string;
  declare usage: Usage;
  /** Its name. */
  declare model: string;
  declare open: boolean;
  #leaving: ReturnType<typeof setTimeout> | undefined;
  /** What it belongs to may move, and does where the focus scrolls it into view. */
  readonly #moved = (): void => this.#place();

  constructor() {
    super();
    this.open = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#hide();
  }

  protected override render(): unknown {
    const said = usageText(this.usage);
    if (said === undefined) return nothing;
    const id = `usage-${this.messageId}`;
    return html`<button
        class="usage action"
        aria-describedby=${this.open ? id : nothing}
        @click=${() => this.#show()}
        @focus=${() => this.#show()}
        @blur=${() => this.#hide()}
        @pointerenter=${({ pointerType }: PointerEvent) => pointerType !== "touch" && this.#show()}
        @pointerleave=${() => this.#leave()}
        @keydown=${(event: KeyboardEvent) => event.key === "Escape" && this.#hide()}
      >
        ${said}
      </button>
      ${this.open ? this.#details(id) : nothing}`;
  }

  #details(id: string): unknown {
    return html`<div
      class="usage-details"
      id=${id}
      popover="manual"
      role="tooltip"
      @pointerenter=${() => clearTimeout(this.#leaving)}
      @pointerleave=${() => this.#leave()}
    >
      <table>
        ${
          this.model === ""
            ? nothing
            : html`<caption>
                ${this.model}
              </caption>`
        }
        <tbody>
          ${usageRows(this.usage).map(
            ([name, value, part]) =>
              html`<tr class=${part ? "part" : ""}>
                <th scope="row">${name}</th>
                <td>${value}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  #show(): void {
    clearTimeout(this.#leaving);
    if (!this.open) addEventListener("scroll", this.#moved, { capture: true, passive: true });
    this.open = true;
  }

  #leave(): void {
    clearTimeout(this.#leaving);
    if (!this.querySelector("button")?.matches(":focus-visible"))
      this.#leaving = setTimeout(() => this.#hide(), LEAVE_MS);
  }

  #hide(): void {
    clearTimeout(this.#leaving);
    removeEventListener("scroll", this.#moved, { capture: true });
    this.open = false;
  }

  protected override updated(): void {
    const details = this.querySelector<HTMLElement>(".usage-details");
    if (details === null || details.matches(":popover-open")) return;
    details.showPopover();
    this.#place();
  }

  #place(): void {
    const details = this.querySelector<HTMLElement>(".usage-details");
    const button = this.querySelector("button");
    if (details !== null && button !== null) placeBeside(details, button.getBoundingClientRect());
  }
}

define("parley-usage", ParleyUsage);
