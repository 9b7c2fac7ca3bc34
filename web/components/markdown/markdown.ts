import type { ReadonlySignal } from "@preact/signals-core";
import { html } from "lit";
import type { Part } from "../../../src/protocol/shapes.ts";
import { whenIdle } from "../../markdown/idle.ts";
import { renderBlocks } from "../../markdown/render.ts";
import { ShownText } from "../../markdown/shown-text.ts";
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

/** One part of a message, as markdown that may still grow. A long one comes in slices, its end first. */
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

  readonly #shown = new ShownText();
  #grows = false;
  /** Until then the text that is shown may be behind. */
  #restUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = false;
  /** Takes back what is done when the page is idle. */
  #cancel: (() => void) | undefined;

  constructor() {
    super();
    this.streaming = false;
    this.files = false;
  }

  /** False while the beginning of a long text is still to come. */
  get whole(): boolean {
    return this.#shown.whole;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  protected override render(): unknown {
    const text = this.#written();
    this.#grows ||= this.streaming;
    const wait = this.streaming ? this.#restUntil - performance.now() : 0;
    if (wait > 0) this.#timer ??= setTimeout(() => this.#wake(), wait);
    else this.#read(text);
    const blocks = renderBlocks(this.#shown, { files: this.files, grows: this.#grows });
    return html`<div class=${this.#grows ? "markdown grown" : "markdown"} dir="auto">${blocks}</div>`;
  }

  /** What is read before it is shown, and places that are filled, wait until the page is idle. */
  protected override updated(): void {
    if (!this.#shown.open || this.#cancel !== undefined) return;
    this.#cancel = whenIdle(() => {
      const more = this.#shown.fill();
      if (!more) this.#cancel = undefined;
      this.requestUpdate();
      this.performUpdate();
      return more;
    });
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
    const progress = this.#shown.read(text, this.streaming);
    const took = performance.now() - start;
    const open = this.#shown.blocks.at(-1)?.raw.length ?? 0;
    const rest = Math.max(took > SLOW_MS ? REST_MS : 0, Math.min(MAX_REST_MS, open * REST_MS_PER_LENGTH));
    this.#restUntil = progress === "done" ? start + took + rest : 0;
    if (progress === "frame") this.#goOn();
    if (progress === "idle") this.#readWhenIdle();
  }

  #readWhenIdle(): void {
    this.#cancel?.();
    this.#cancel = whenIdle(() => {
      if (this.#shown.readOn(this.#written(), this.streaming)) return true;
      this.#cancel = undefined;
      this.requestUpdate();
      return false;
    });
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
