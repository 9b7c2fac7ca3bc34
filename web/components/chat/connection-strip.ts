import { html, nothing } from "lit";
import type { AppStore } from "../../store/app.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { stripContent } from "./strip-content.ts";

/** A connection that comes back within this time is nobody's concern. */
const PATIENCE_MS = 1_000;

/** Silent when all is well. */
class ParleyConnectionStrip extends ParleyElement {
  static override readonly properties = { app: { attribute: false }, late: { state: true } };
  declare app: AppStore;
  declare late: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #look = (): void => this.requestUpdate();

  constructor() {
    super();
    this.late = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("online", this.#look);
    addEventListener("offline", this.#look);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("online", this.#look);
    removeEventListener("offline", this.#look);
    this.#calm();
  }

  #calm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  protected override willUpdate(): void {
    if (this.app.connection.value.phase === "ready") {
      this.#calm();
      this.late = false;
    } else if (!this.late) {
      this.#timer ??= setTimeout(() => (this.late = true), PATIENCE_MS);
    }
  }

  protected override render(): unknown {
    const content = stripContent(this.app.connection.value, navigator.onLine);
    const shown = content !== undefined && (this.late || content.final) ? content : undefined;
    return html`<div class="strip-place" role="status">
      ${
        shown === undefined
          ? nothing
          : html`<div class="strip ${shown.final ? "final" : ""}">
              ${shown.final ? icons.alert("small") : icons.plug("small")}<span>${shown.text}</span>
              <button class="quiet-link" @click=${() => this.app.tryNow()}>${shown.action}</button>
            </div>`
      }
    </div>`;
  }
}

define("parley-connection-strip", ParleyConnectionStrip);
