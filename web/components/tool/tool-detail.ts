/** What is in an opened card: the arguments of a call and what came of it. */
import { html, nothing } from "lit";
import type { ToolPart } from "../../../src/protocol/shapes.ts";
import { copyText } from "../copy.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { appendText } from "../markdown/append-text.ts";

/** UTF-16 units that are shown of a value before somebody asks for all of it. */
const SHOWN = 20_000;
const COPIED_MS = 2_000;

/** JSON for people: a text as it is, anything else in lines. */
export const readable = (value: unknown): string =>
  typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");

export function toolDetail(part: ToolPart): unknown {
  if (part.length !== undefined) return html`<p class="quietly">Loading…</p>`;
  return html`${args(part)} ${outcome(part)}`;
}

function args({ args: given, argsText, status }: ToolPart): unknown {
  const growing = status === "streaming";
  const text = argsText ?? (Object.keys(given).length === 0 ? "" : readable(given));
  return html`<section>
    <h3>Arguments</h3>
    ${
      text === "" && !growing
        ? html`<p class="quietly">None</p>`
        : html`<parley-value .text=${text} .label=${"arguments"}></parley-value>`
    }
  </section>`;
}

function outcome({ result, error, status }: ToolPart): unknown {
  if (error !== undefined) {
    return html`<section>
      <h3>${status === "denied" ? "Why not" : "What went wrong"}</h3>
      <p class="failed">${error}</p>
    </section>`;
  }
  if (result === undefined) return nothing;
  const text = readable(result);
  return html`<section>
    <h3>Result</h3>
    ${text === "" ? html`<p class="quietly">Nothing</p>` : html`<parley-value .text=${text} .label=${"result"}></parley-value>`}
  </section>`;
}

/** A text of any length that scrolls in its own box, and can be copied whole. */
class ParleyValue extends ParleyElement {
  static override readonly properties = {
    text: { attribute: false },
    label: { attribute: false },
    all: { state: true },
    copied: { state: true },
  };
  declare text: string;
  declare label: string;
  declare all: boolean;
  declare copied: boolean;

  constructor() {
    super();
    this.text = "";
    this.label = "";
    this.all = false;
    this.copied = false;
  }

  protected override render(): unknown {
    const cut = !this.all && this.text.length > SHOWN;
    const copy = `Copy ${this.label}`;
    return html`<div class="value">
        <pre tabindex="0" role="group" aria-label=${this.label} dir="auto">
${appendText(cut ? this.text.slice(0, SHOWN) : this.text)}</pre>
        <button class="icon-button" aria-label=${copy} title=${copy} @click=${() => this.#copy()}>
          ${this.copied ? icons.check("small") : icons.copy("small")}
        </button>
        <span class="hidden-visually" role="status">${this.copied ? "Copied" : ""}</span>
      </div>
      ${
        cut
          ? html`<button class="quiet-link" @click=${() => (this.all = true)}>
              Show all ${this.text.length.toLocaleString()} characters
            </button>`
          : nothing
      }`;
  }

  #copy(): void {
    copyText(this.text).then(
      (done) => {
        this.copied = done;
        setTimeout(() => (this.copied = false), COPIED_MS);
      },
      () => undefined,
    );
  }
}

define("parley-value", ParleyValue);
