import type { ReadonlySignal } from "@preact/signals-core";
import { html } from "lit";
import type { TextPart } from "../../../src/protocol/shapes.ts";
import { BlockStream } from "../../markdown/blocks.ts";
import { renderBlocks } from "../../markdown/render.ts";
import { define, ParleyElement } from "../element.ts";
import { markdownSheet } from "./markdown.style.ts";
import "./code.ts";

/** After a parse that took longer than this, the next one waits. */
const SLOW_MS = 4;
const REST_MS = 75;

/** One part of a message, as markdown that may still grow. */
class ParleyMarkdown extends ParleyElement {
  static override readonly sheets = [markdownSheet];
  static override readonly properties = {
    source: { attribute: false },
    streaming: { type: Boolean, reflect: true },
  };
  declare source: ReadonlySignal<TextPart> | undefined;
  declare streaming: boolean;

  #blocks = new BlockStream();
  #text = "";
  #finished = false;
  /** Until then the text that is shown may be behind. */
  #restUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.streaming = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  protected override render(): unknown {
    const text = this.source?.value.text ?? "";
    const wait = this.streaming ? this.#restUntil - performance.now() : 0;
    if (wait > 0) this.#timer ??= setTimeout(() => this.#wake(), wait);
    else this.#parse(text);
    return html`<div class="markdown" dir="auto">${renderBlocks(this.#blocks.blocks)}</div>`;
  }

  #wake(): void {
    this.#timer = undefined;
    this.requestUpdate();
  }

  #parse(text: string): void {
    const start = performance.now();
    const grows = text.startsWith(this.#text) && !(this.#finished && text.length > this.#text.length);
    if (!grows) this.#blocks = new BlockStream();
    const known = grows ? this.#text.length : 0;
    if (text.length > known) this.#blocks.append(text.slice(known));
    this.#text = text;
    this.#finished = !this.streaming && (this.#finished || this.#finish());
    const took = performance.now() - start;
    if (took > SLOW_MS) this.#restUntil = start + took + REST_MS;
  }

  #finish(): true {
    this.#blocks.finish();
    return true;
  }
}

define("parley-markdown", ParleyMarkdown);
