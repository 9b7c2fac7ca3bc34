import { type Signal, signal } from "@preact/signals-core";
import { html, nothing } from "lit";
import { ParleyError } from "../../../src/protocol/errors.ts";
import { errorText } from "../../text/error-text.ts";
import { text } from "../../text/text.ts";
import { icons } from "../icons.ts";

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** A list that is asked for, page by page, and what became of that. */
export class Listing<T> {
  /** Undefined until the first page is there. */
  readonly items: Signal<readonly T[] | undefined> = signal(undefined);
  readonly nextCursor: Signal<string | null> = signal(null);
  /** Why something did not work. */
  readonly failure: Signal<string | undefined> = signal(undefined);
  readonly #read: (cursor: string | null) => Promise<Page<T>>;

  constructor(read: (cursor: string | null) => Promise<Page<T>>) {
    this.#read = read;
  }

  /** From the beginning. */
  load(): void {
    this.#ask(null, []);
  }

  more(): void {
    const cursor = this.nextCursor.peek();
    if (cursor !== null) this.#ask(cursor, this.items.peek() ?? []);
  }

  #ask(cursor: string | null, before: readonly T[]): void {
    this.#read(cursor).then(
      ({ items, nextCursor }) => {
        this.items.value = [...before, ...items];
        this.nextCursor.value = nextCursor;
      },
      (error: unknown) => this.fail(error),
    );
  }

  fail(error: unknown): void {
    this.failure.value = error instanceof ParleyError ? errorText(error) : text().errors.somethingFailed;
  }

  /** That it loads, or what went wrong. */
  trouble(): unknown {
    const failure = this.failure.value;
    if (failure === undefined) {
      return this.items.value === undefined
        ? html`<p class="hint" role="status">${text().settings.loading}</p>`
        : nothing;
    }
    return html`<div class="issue" role="alert">
      ${icons.alert("small")}<span>${failure}</span>
      <button type="button" class="quiet-link" @click=${() => this.#again()}>${text().common.tryAgain}</button>
    </div>`;
  }

  #again(): void {
    this.failure.value = undefined;
    this.load();
  }
}
