import type { ReadonlySignal } from "@preact/signals-core";
import { html } from "lit";
import type { Part } from "../../../src/protocol/shapes.ts";
import { TextReader } from "../../markdown/reader.ts";
import { renderBlocks } from "../../markdown/render.ts";
import { nextFrame } from "../../store/frame.ts";
import { define, ParleyElement } from "../element.ts";
import { markdownSheet } from "./markdown.style.ts";
import "./code.ts";
import "./math.ts";
import "./table.ts";

/** After a parse that took longer than this, the next one waits. */
const SLOW_MS = 4;
const REST_MS = 75;
/**
 * So does the next one of a long block that is still open: all of it is lexed, laid out and painted again, and whoever
 * reads it is far from its end.
 */
const REST_MS_PER_LENGTH = 1 / 100;
const MAX_REST_MS = 120;

/** One part of a message, as markdown that may still grow. A long one comes in slices, a frame each. */
class ParleyMarkdown extends ParleyElement {
  static override readonly sheets = [markdownSheet];
  static override readonly properties = {
    source: { attribute: false },
    streaming: { type: Boolean, reflect: true },
    files: { type: Boolean },
  };
  declare source: ReadonlySignal<Part> | undefined;
  declare streaming: boolean;
  /** Pictures among the files of the server are shown. */
  declare files: boolean;

  readonly #reader = new TextReader();
  /** Until then the text that is shown may be behind. */
  #restUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = false;

  constructor() {
    super();
    this.streaming = false;
    this.files = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  protected override render(): unknown {
    const text = this.#written();
    const wait = this.streaming ? this.#restUntil - performance.now() : 0;
    if (wait > 0) this.#timer ??= setTimeout(() => this.#wake(), wait);
    else this.#read(text);
    const { blocks, settled } = this.#reader;
    return html`<div class="markdown" dir="auto">${renderBlocks(blocks, { settled, files: this.files })}</div>`;
  }

  #written(): string {
    const part = this.source?.value;
    return part?.type === "text" || part?.type === "reasoning" ? part.text : "";
  }

  #wake(): void {
    this.#timer = undefined;
    this.requestUpdate();
  }

  #read(text: string): void {
    const start = performance.now();
    const done = this.#reader.read(text, this.streaming);
    const took = performance.now() - start;
    const open = this.#reader.blocks.at(-1)?.raw.length ?? 0;
    const rest = Math.max(took > SLOW_MS ? REST_MS : 0, Math.min(MAX_REST_MS, open * REST_MS_PER_LENGTH));
    this.#restUntil = done ? start + took + rest : 0;
    if (!done) this.#goOn();
  }

  #goOn(): void {
    if (this.#asked) return;
    this.#asked = true;
    nextFrame(() => {
      this.#asked = false;
      this.requestUpdate();
    });
  }
}

define("parley-markdown", ParleyMarkdown);
