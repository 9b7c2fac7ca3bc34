import { type ReadonlySignal, signal } from "@preact/signals-core";

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void } | undefined;
  /** The focus goes to its action: what it stood on is gone. */
  readonly focus: boolean;
}

/** How long one stays, unless somebody is at it. */
const SHOWN_MS = 8_000;

/** One short word at a time on what was done; a newer one takes its place. */
export class Toasts {
  readonly #current = signal<Toast | undefined>(undefined);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = 0;

  get current(): ReadonlySignal<Toast | undefined> {
    return this.#current;
  }

  show(text: string, { action, focus = false }: Partial<Pick<Toast, "action" | "focus">> = {}): void {
    this.#current.value = { id: ++this.#last, text, action, focus };
    this.resume();
  }

  /** Somebody points at it, or is about to press its button. */
  hold(): void {
    clearTimeout(this.#timer);
  }

  resume(): void {
    clearTimeout(this.#timer);
    if (this.#current.peek() !== undefined) this.#timer = setTimeout(() => this.hide(), SHOWN_MS);
  }

  hide(): void {
    clearTimeout(this.#timer);
    this.#current.value = undefined;
  }
}
