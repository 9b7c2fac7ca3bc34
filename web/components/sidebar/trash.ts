import { effect } from "@preact/signals-core";
import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Result } from "../../../src/protocol/methods.ts";
import type { AppStore } from "../../store/app.ts";
import { relativeTime } from "../../text/locale.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { Listing } from "../settings/listing.ts";
import { titleOf } from "./title.ts";
import { trashSheet } from "./trash.style.ts";
import "../settings/delete-button.ts";

type Deleted = Result<"conversation.listDeleted">["deleted"][number];

const HOUR_MS = 3_600_000;
const PAGE = 50;

/** What was deleted and can be had back, or given up. */
class ParleyTrash extends ParleyElement {
  static override readonly sheets = [trashSheet];
  static override readonly properties = { app: { attribute: false } };
  declare app: AppStore;
  #stopLooking: (() => void) | undefined;
  readonly #listing = new Listing<Deleted>(async (cursor) => {
    const { client } = this.app.shell.peek() ?? {};
    if (client === undefined) return { items: [], nextCursor: null };
    const params = { limit: PAGE, ...(cursor === null ? {} : { cursor }) };
    const { deleted, nextCursor } = await client.call("conversation.listDeleted", params);
    return { items: deleted, nextCursor };
  });

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopLooking?.();
    this.#stopLooking = undefined;
  }

  protected override firstUpdated(): void {
    this.querySelector<HTMLElement>("h2")?.focus();
  }

  protected override updated(): void {
    if (!this.isConnected || this.#stopLooking !== undefined) return;
    // Whatever is deleted meanwhile, here or elsewhere, belongs to it.
    this.#stopLooking = effect(() => {
      void this.app.list.value?.deletions.value;
      this.#listing.load();
    });
  }

  protected override render(): unknown {
    const words = text().trash;
    const listed = this.app.list.value;
    const all = this.#listing.items.value;
    // What is in a list again was restored, by another tab perhaps.
    const items = all?.filter(({ conversation: { id } }) => listed?.find(id) === undefined);
    return html`<h2 tabindex="-1">${words.title}</h2>
      ${items?.length === 0 ? html`<p class="none">${words.none}</p>` : html`<p class="hint">${words.hint}</p>`}
      ${this.#listing.trouble()}
      <ul>
        ${repeat(
          items ?? [],
          ({ conversation }) => conversation.id,
          (deleted) => html`<li>${this.#row(deleted)}</li>`,
        )}
      </ul>
      ${
        this.#listing.nextCursor.value === null
          ? nothing
          : html`<button class="show-more" @click=${() => this.#listing.more()}>${text().sidebar.showMore}</button>`
      }`;
  }

  #row({ conversation, removedAt }: Deleted): unknown {
    const words = text().trash;
    const title = titleOf(conversation);
    return html`<span class="gone-title" dir="auto" title=${title}>${title}</span>
      <span class="when">${words.removed(whenOf(Date.parse(removedAt) - Date.now()))}</span>
      <span class="ways">
        <button
          class="restore"
          aria-label=${words.restoreOne(title)}
          @click=${({ currentTarget }: Event) =>
            this.#take(currentTarget, conversation.id, this.app.organise.restore(conversation.id))}
        >
          ${words.restore}
        </button>
        <parley-delete
          .name=${words.purgeOne(title)}
          @parley-delete=${({ currentTarget }: Event) =>
            this.#take(currentTarget, conversation.id, this.app.organise.purge(conversation.id))}
        ></parley-delete>
      </span>`;
  }

  /** The focus goes to the row beside it, if it is not elsewhere by then: the one that had it is gone. */
  #take(button: EventTarget | null, id: string, work: Promise<void>): void {
    const row = button instanceof Element ? button.closest("li") : null;
    const beside = row?.nextElementSibling ?? row?.previousElementSibling;
    const next = beside?.querySelector<HTMLElement>(".restore") ?? this.querySelector<HTMLElement>("h2");
    work.then(
      () => {
        const { items } = this.#listing;
        items.value = items.value?.filter(({ conversation }) => conversation.id !== id);
        const { activeElement, body } = document;
        if (activeElement === body || this.contains(activeElement)) next?.focus();
      },
      (error: unknown) => this.#listing.fail(error),
    );
  }
}

/** "in 3 days", "in 5 hours". */
function whenOf(ms: number): string {
  const hours = Math.max(1, Math.round(ms / HOUR_MS));
  return hours < 48 ? relativeTime(hours, "hour") : relativeTime(Math.round(hours / 24), "day");
}

define("parley-trash", ParleyTrash);
