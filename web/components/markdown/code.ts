import { html, nothing, type PropertyValues } from "lit";
import type { CodeRun } from "../../markdown/highlight.ts";
import { whenIdle } from "../../markdown/idle.ts";
import { languageOf } from "../../markdown/languages.ts";
import { text } from "../../text/text.ts";
import { copyText } from "../copy.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { appendText } from "./append-text.ts";
import { codeSheet } from "./code.style.ts";
import { onceNear } from "./near.ts";

const COPIED_MS = 2_000;
/** Longer code keeps one colour: thousands of elements cost more than they help. */
const MAX_COLOURED = 60_000;
/** A line longer than this may not fit. */
const LONG_LINE = /[^\n]{60}/;

/** A block of code, what copies it and what wraps its lines. Colours come when it is finished and the page is idle. */
class ParleyCode extends ParleyElement {
  static override readonly sheets = [codeSheet];
  static override readonly properties = {
    code: { attribute: false },
    language: { attribute: false },
    settled: { attribute: false },
    copied: { state: true },
    wrapped: { state: true },
    coloured: { state: true },
  };
  declare code: string;
  declare language: string;
  /** Nothing will be added to it. */
  declare settled: boolean;
  declare copied: boolean;
  declare wrapped: boolean;
  /** The beginning of the code, a slice each. */
  declare coloured: readonly Element[];
  #colouredLength = 0;
  /** Takes back whatever it is waiting for; undefined: nothing was begun. */
  #cancel: (() => void) | undefined;

  constructor() {
    super();
    this.code = "";
    this.language = "";
    this.settled = false;
    this.copied = false;
    this.wrapped = false;
    this.coloured = [];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    if (this.#colouredLength < this.code.length) this.#begin();
  }

  #begin(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.coloured = [];
    this.#colouredLength = 0;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("code") || changed.has("language")) this.#begin();
  }

  protected override render(): unknown {
    const words = text().code;
    const name = languageOf(this.language)?.name;
    return html`<figure class="code">
      <figcaption>
        <span>${name ?? words.code}</span>
        ${LONG_LINE.test(this.code) ? this.#wrapButton(words.wrap) : nothing}
        <button
          class="copy"
          @click=${() => this.#copy()}
          aria-label=${this.copied ? text().common.copied : name === undefined ? words.copy : words.copyIn(name)}
        >
          ${this.copied ? icons.check("small") : icons.copy("small")}<span aria-live="polite"
            >${this.copied ? text().common.copied : text().common.copy}</span
          >
        </button>
      </figcaption>
      <pre
        class=${this.wrapped ? "wrapped" : ""}
        tabindex="0"
        role="group"
        aria-label=${name === undefined ? words.code : words.codeIn(name)}
      ><code dir="ltr">${this.coloured}${appendText(this.code.slice(this.#colouredLength))}</code></pre>
    </figure>`;
  }

  #wrapButton(label: string): unknown {
    return html`<button
      class="wrap"
      aria-pressed=${this.wrapped ? "true" : "false"}
      aria-label=${label}
      title=${label}
      @click=${() => (this.wrapped = !this.wrapped)}
    >
      ${icons.wrap("small")}
    </button>`;
  }

  #copy(): void {
    copyText(this.code).then(
      (done) => {
        this.copied = done;
        setTimeout(() => (this.copied = false), COPIED_MS);
      },
      () => undefined,
    );
  }

  protected override updated(): void {
    if (!this.settled || this.#cancel !== undefined || this.#colouredLength > 0) return;
    const grammar = languageOf(this.language)?.grammar;
    if (grammar === undefined || this.code.length > MAX_COLOURED) return;
    this.#cancel = onceNear(this, () => this.#load(grammar));
  }

  #load(grammar: string): void {
    let wanted = true;
    this.#cancel = () => (wanted = false);
    import("../../markdown/highlight.ts").then(
      ({ codeSlices }) => wanted && this.#colour(codeSlices(this.code, grammar)),
      // Without colours it is still the code.
      () => undefined,
    );
  }

  #colour(slices: Iterator<readonly CodeRun[]>): void {
    this.#cancel = whenIdle(() => {
      const { done, value } = slices.next();
      if (done === true) return false;
      if (value.length > 0) {
        this.#colouredLength += value.reduce((length, run) => length + run.text.length, 0);
        this.coloured = [...this.coloured, elementOf(value)];
      }
      return true;
    });
  }
}

function elementOf(runs: readonly CodeRun[]): Element {
  const element = document.createElement("span");
  element.append(
    ...runs.map(({ kind, text: words }) => {
      if (kind === undefined) return words;
      const run = document.createElement("span");
      run.className = `code-${kind}`;
      run.textContent = words;
      return run;
    }),
  );
  return element;
}

define("parley-code", ParleyCode);
