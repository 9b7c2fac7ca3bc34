import { html, type PropertyValues } from "lit";
import { whenIdle } from "../../markdown/idle.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { mathSheet } from "./math.style.ts";
import { onceNear } from "./near.ts";

/** A formula: as it was written, until it is finished, near the screen and the page is idle. */
class ParleyMath extends ParleyElement {
  static override readonly sheets = [mathSheet];
  static override readonly properties = {
    tex: { attribute: false },
    source: { attribute: false },
    display: { attribute: false },
    settled: { attribute: false },
    formula: { state: true },
  };
  declare tex: string;
  /** With the marks around it. */
  declare source: string;
  declare display: boolean;
  /** Nothing will be added to it. */
  declare settled: boolean;
  /** Null: it is none. */
  declare formula: Element | null | undefined;
  #cancel: (() => void) | undefined;

  constructor() {
    super();
    this.tex = "";
    this.source = "";
    this.display = false;
    this.settled = false;
    this.formula = undefined;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("tex") && !changed.has("display")) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.formula = undefined;
  }

  protected override render(): unknown {
    const formula = this.formula ?? undefined;
    if (!this.display) return formula ?? html`<span class="tex" dir="ltr">${this.source}</span>`;
    // Wider than the column: then it scrolls, and the keyboard must reach it.
    return formula === undefined
      ? html`<span class="tex display" dir="ltr">${this.source}</span>`
      : html`<span class="formula" dir="ltr" role="group" aria-label=${text().code.formula} tabindex="0"
          >${formula}</span
        >`;
  }

  protected override updated(): void {
    if (!this.settled || this.#cancel !== undefined || this.formula !== undefined) return;
    this.#cancel = onceNear(this, () => this.#load());
  }

  #load(): void {
    let wanted = true;
    this.#cancel = () => (wanted = false);
    import("../../markdown/tex.ts").then(
      ({ mathElement }) => {
        if (!wanted) return;
        this.#cancel = whenIdle(() => {
          this.formula = mathElement(this.tex, this.display) ?? null;
          return false;
        });
      },
      // It stays as it was written.
      () => undefined,
    );
  }
}

define("parley-math", ParleyMath);
