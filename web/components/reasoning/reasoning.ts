import type { ReadonlySignal } from "@preact/signals-core";
import { html, nothing, type PropertyValues } from "lit";
import { isCut } from "../../../src/client/transcript.ts";
import type { Part } from "../../../src/protocol/shapes.ts";
import type { AppStore } from "../../store/app.ts";
import { text } from "../../text/text.ts";
import { durationText } from "../duration.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import "../markdown/markdown.ts";
import { reasoningSheet } from "./reasoning.style.ts";

/** What the model thought: a line that opens, and that says how long it took where somebody here looked on. */
class ParleyReasoning extends ParleyElement {
  static override readonly sheets = [reasoningSheet];
  static override readonly properties = {
    app: { attribute: false },
    messageId: { attribute: false },
    index: { attribute: false },
    source: { attribute: false },
    growing: { attribute: false },
    since: { attribute: false },
    open: { state: true },
  };
  declare app: AppStore;
  declare messageId: string;
  /** Of the part, in its message. */
  declare index: number;
  declare source: ReadonlySignal<Part>;
  /** It is being thought. */
  declare growing: boolean;
  /** When it began, as far as that is known. Milliseconds since 1970. */
  declare since: number | undefined;
  declare open: boolean;

  constructor() {
    super();
    this.open = false;
    this.growing = false;
    this.since = undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.get("growing") !== true || this.growing || this.since === undefined) return;
    this.app.thoughts.write(this.messageId, this.index, this.app.clock.read() - this.since);
  }

  protected override render(): unknown {
    return html`<details class="reasoning" ?open=${this.open} @toggle=${(event: Event) => this.#toggled(event)}>
      <summary>
        ${icons.thought("small")}<span>${this.#title()}</span
        ><span class="turn-down">${icons.chevronDown("small")}</span>
      </summary>
      ${
        this.open
          ? html`<div class="thoughts">
              <parley-markdown .source=${this.source} ?streaming=${this.growing}></parley-markdown>
              ${isCut(this.source.value) ? html`<p>${text().common.theRest}</p>` : nothing}
            </div>`
          : nothing
      }
    </details>`;
  }

  #title(): string {
    if (this.growing) return text().reasoning.thinking;
    const spent = durationText(this.app.thoughts.read(this.messageId, this.index) ?? 0);
    return spent === undefined ? text().reasoning.thought : text().reasoning.thoughtFor(spent);
  }

  #toggled({ currentTarget }: Event): void {
    if (currentTarget instanceof HTMLDetailsElement) this.open = currentTarget.open;
  }
}

define("parley-reasoning", ParleyReasoning);
