import { type Signal, signal } from "@preact/signals-core";
import { type Pin, pinnedAt, placed, REPIN_PX, scrolled } from "./pin.ts";

/** After a wheel or a finger moved the view up, following waits this long for the movement to arrive. */
const HOLD_MS = 150;

/** The only one that scrolls the transcript. Follows its end while pinned, and leaves a reader alone otherwise. */
export class ScrollOwner {
  readonly pinned: Signal<boolean> = signal(true);
  readonly #view: HTMLElement;
  readonly #list: HTMLElement;
  readonly #sizes: ResizeObserver;
  readonly #stop = new AbortController();
  #pin: Pin = pinnedAt(0, 0);
  #holdUntil = 0;
  #later: ReturnType<typeof setTimeout> | undefined;
  #kept: { readonly element: Element; readonly top: number } | undefined;

  /** `view` scrolls `content`; the children of `list` are what is read. */
  constructor(view: HTMLElement, content: HTMLElement, list: HTMLElement) {
    this.#view = view;
    this.#list = list;
    this.#sizes = new ResizeObserver(() => this.#resized());
    this.#sizes.observe(view);
    this.#sizes.observe(content);
    const listen = { passive: true, signal: this.#stop.signal } as const;
    view.addEventListener("scroll", () => this.#scrolled(), listen);
    view.addEventListener("wheel", ({ deltaY }) => deltaY < 0 && this.#hold(), listen);
    view.addEventListener("touchmove", () => this.#hold(), listen);
  }

  /** To the end, and stay there. */
  toEnd(): void {
    this.follow();
    this.#place(this.#max());
  }

  /** To the end of what is about to be shown: not by laying out at once what stands there still. */
  follow(): void {
    this.#holdUntil = 0;
    this.#set({ ...this.#pin, pinned: true });
  }

  /** To the beginning, which nothing that comes moves. */
  toStart(): void {
    this.#set({ ...this.#pin, pinned: false });
    this.#place(0);
  }

  /** To what lies there, with some of what stands before it. */
  toBox({ top }: { readonly top: number }): void {
    const view = this.#view.getBoundingClientRect();
    const to = this.#view.scrollTop + top - view.top - view.height / 5;
    this.#set({ ...this.#pin, pinned: to >= this.#max() - REPIN_PX });
    this.#place(Math.min(to, this.#max()));
  }

  /** Before content is put above what is read: remembers where that stands. */
  keep(): void {
    const inside = this.#view.getBoundingClientRect().top;
    const element = [...this.#list.children].find((child) => child.getBoundingClientRect().bottom > inside);
    this.#kept = element === undefined ? undefined : { element, top: element.getBoundingClientRect().top };
  }

  /** After it: puts it back there. */
  restore(): void {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept === undefined || !kept.element.isConnected || this.#pin.pinned) return;
    this.#place(this.#view.scrollTop + kept.element.getBoundingClientRect().top - kept.top);
  }

  stop(): void {
    this.#stop.abort();
    clearTimeout(this.#later);
    this.#sizes.disconnect();
  }

  #hold(): void {
    this.#holdUntil = performance.now() + HOLD_MS;
  }

  #max(): number {
    return this.#view.scrollHeight - this.#view.clientHeight;
  }

  #resized(): void {
    if (!this.#pin.pinned) return;
    const held = this.#holdUntil - performance.now();
    if (held <= 0) this.#place(this.#max());
    else this.#later ??= setTimeout(() => this.#resumed(), held);
  }

  #resumed(): void {
    this.#later = undefined;
    this.#resized();
  }

  #place(top: number): void {
    if (Math.abs(this.#view.scrollTop - top) >= 1) this.#view.scrollTop = top;
    this.#set(placed(this.#pin, this.#view.scrollTop, this.#max()));
  }

  #scrolled(): void {
    this.#set(scrolled(this.#pin, this.#view.scrollTop, this.#max()));
  }

  #set(pin: Pin): void {
    this.#pin = pin;
    this.pinned.value = pin.pinned;
  }
}
