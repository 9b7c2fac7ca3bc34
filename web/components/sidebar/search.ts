import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { AppStore } from "../../store/app.ts";
import { pathOf, type Route } from "../../store/route.ts";
import type { SearchResult, SearchState } from "../../store/search.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { excerptLine, marked } from "./marked.ts";
import { titleOf } from "./title.ts";

/** What was found, in place of the list. Fires `parley-close` when a conversation was chosen. */
class ParleySearchResults extends ParleyElement {
  static override readonly properties = { app: { attribute: false } };
  declare app: AppStore;

  protected override render(): unknown {
    const state = this.app.search.state.value;
    if (state === undefined) return nothing;
    const { results, kind } = state;
    return html`<p class="none" role="status">${this.#said(state)}</p>
      <ul
        class="results"
        aria-label=${text().conversations.results}
        @keydown=${(event: KeyboardEvent) => this.#key(event)}
      >
        ${repeat(
          results,
          ({ conversation }) => conversation.id,
          (result) => html`<li>${this.#result(result, state.query)}</li>`,
        )}
      </ul>
      ${
        kind === "failed"
          ? html`<button class="show-more" @click=${() => this.app.search.retry()}>${text().common.tryAgain}</button>`
          : kind === "done" && state.cursor !== null
            ? html`<button class="show-more" @click=${() => this.app.search.more()}>
                ${text().conversations.searchOlder}
              </button>`
            : nothing
      }`;
  }

  #said({ kind, results }: SearchState): string {
    const words = text().conversations;
    switch (kind) {
      case "searching":
        return words.searching;
      case "failed":
        return words.searchFailed;
      case "done":
        return results.length === 0 ? words.nothingFound : words.found(results.length);
    }
  }

  #result({ conversation, excerpt }: SearchResult, query: string): unknown {
    const { id } = conversation;
    const route = this.app.router.route.value;
    const current = route.kind === "conversation" && route.id === id;
    const to: Route =
      excerpt === undefined
        ? { kind: "conversation", id }
        : { kind: "conversation", id, messageId: excerpt.messageId, words: query };
    return html`<a
      href=${pathOf(to)}
      aria-current=${current ? "page" : nothing}
      @click=${(event: MouseEvent) => this.#go(event, to)}
    >
      <span class="found-title" dir="auto">${marked(titleOf(conversation), query)}</span>
      ${
        conversation.archivedAt === undefined
          ? nothing
          : html`<span class="tag">${icons.archive("small")}${text().conversations.inArchive}</span>`
      }
      ${excerpt === undefined ? nothing : html`<span class="excerpt" dir="auto">${excerptLine(excerpt, query)}</span>`}
    </a>`;
  }

  #go(event: MouseEvent, to: Route): void {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.app.router.go(to);
    this.dispatchEvent(new Event("parley-close", { bubbles: true }));
  }

  /** Up from the first one is the field. */
  #key(event: KeyboardEvent): void {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const links = [...this.querySelectorAll<HTMLElement>(".results a")];
    const at = links.findIndex((link) => link === event.target);
    if (at + step < 0) this.dispatchEvent(new Event("parley-to-field", { bubbles: true }));
    else links[at + step]?.focus();
  }

  focusFirst(): void {
    this.querySelector<HTMLElement>(".results a")?.focus();
  }
}

define("parley-search-results", ParleySearchResults);
export type { ParleySearchResults };
