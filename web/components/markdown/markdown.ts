import type { ReadonlySignal } from "@preact/signals-core";
import { html } from "lit";
import type { Part } from "../../../src/protocol/shapes.ts";
import { BlockStream } from "../../markdown/blocks.ts";
import { renderBlocks } from "../../markdown/render.ts";
import { define, ParleyElement } from "../element.ts";
import { markdownSheet } from "./markdown.style.ts";
import "./code.ts";

/** After a parse that took longer than this, the next one waits. */
const SLOW_MS = 4;
const REST_MS = 75;
/**
 * So does the next one of a long block that is still open: all of it is lexed, laid out and painted again, and whoever
 * reads it is far from its end.
 */
const REST_MS_PER_LENGTH = 1 / 100;
const MAX_REST_MS = 120;

/** One part of a message, as markdown that may still grow. */
class ParleyMarkdown extends ParleyElement {
  static override readonly sheets = [markdownSheet];
  static override readonly properties = {
    source: { attribute: false },
    streaming: { type: Boolean, reflect: true },
  };
  declare source: ReadonlySignal<Part> | undefined;
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
    const text = this.#written();
    const wait = this.streaming ? this.#restUntil - performance.now() : 0;
    if (wait > 0) this.#timer ??= setTimeout(() => this.#wake(), wait);
    else this.#parse(text);
    return html`<div class="markdown" dir="auto">${renderBlocks(this.#blocks.blocks)}</div>`;
  }

  #written(): string {
    const part = this.source?.value;
    return part?.type === "text" || part?.type === "reasoning" ? part.text : "";
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
    const open = this.#blocks.blocks.at(-1)?.raw.length ?? 0;
    const rest = Math.max(took > SLOW_MS ? REST_MS : 0, Math.min(MAX_REST_MS, open * REST_MS_PER_LENGTH));
    this.#restUntil = start + took + rest;
  }

  #finish(): true {
    this.#blocks.finish();
    return true;
  }
}

define("parley-markdown", ParleyMarkdown);
