/** What is in an opened card: the arguments of a call and what came of it. */
import { html, nothing } from "lit";
import type { ToolPart } from "../../../src/protocol/shapes.ts";
import { text } from "../../text/text.ts";
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
  if (part.length !== undefined) return html`<p class="quietly">${text().tool.loading}</p>`;
  return html`${args(part)} ${outcome(part)}`;
}

function args({ args: given, argsText, status }: ToolPart): unknown {
  const growing = status === "streaming";
  const json = argsText ?? (Object.keys(given).length === 0 ? "" : readable(given));
  return html`<section>
    <h3>${text().tool.arguments}</h3>
    ${
      json === "" && !growing
        ? html`<p class="quietly">${text().tool.none}</p>`
        : html`<parley-value
            .text=${json}
            .label=${text().tool.argumentsLabel}
            .copyLabel=${text().tool.copyArguments}
          ></parley-value>`
    }
  </section>`;
}

function outcome({ result, error, status }: ToolPart): unknown {
  if (error !== undefined) {
    return html`<section>
      <h3>${status === "denied" ? text().tool.whyNot : text().tool.whatWentWrong}</h3>
      <p class="failed">${error}</p>
    </section>`;
  }
  if (result === undefined) return nothing;
  const said = readable(result);
  return html`<section>
    <h3>${text().tool.result}</h3>
    ${said === "" ? html`<p class="quietly">${text().tool.nothing}</p>` : html`<parley-value .text=${said} .label=${text().tool.resultLabel} .copyLabel=${text().tool.copyResult}></parley-value>`}
  </section>`;
}

/** A text of any length that scrolls in its own box, and can be copied whole. */
class ParleyValue extends ParleyElement {
  static override readonly properties = {
    text: { attribute: false },
    label: { attribute: false },
    copyLabel: { attribute: false },
    all: { state: true },
    copied: { state: true },
  };
  declare text: string;
  declare label: string;
  declare copyLabel: string;
  declare all: boolean;
  declare copied: boolean;

  constructor() {
    super();
    this.text = "";
    this.label = "";
    this.copyLabel = "";
    this.all = false;
    this.copied = false;
  }

  protected override render(): unknown {
    const cut = !this.all && this.text.length > SHOWN;
    const { copyLabel } = this;
    return html`<div class="value">
        <pre tabindex="0" role="group" aria-label=${this.label} dir="auto">
${appendText(cut ? this.text.slice(0, SHOWN) : this.text)}</pre>
        <button class="icon-button" aria-label=${copyLabel} title=${copyLabel} @click=${() => this.#copy()}>
          ${this.copied ? icons.check("small") : icons.copy("small")}
        </button>
        <span class="hidden-visually" role="status">${this.copied ? text().common.copied : ""}</span>
      </div>
      ${
        cut
          ? html`<button class="quiet-link" @click=${() => (this.all = true)}>
              ${text().tool.showAll(this.text.length)}
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
