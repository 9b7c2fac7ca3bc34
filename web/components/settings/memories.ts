import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Client } from "../../../src/client/client.ts";
import type { Memory } from "../../../src/protocol/shapes.ts";
import { dateTime } from "../../text/locale.ts";
import { text } from "../../text/text.ts";
import { define } from "../element.ts";
import { EditableRows } from "./editable-rows.ts";
import { Listing } from "./listing.ts";
import "./delete-button.ts";

/** As the server takes it. */
const MAX_LENGTH = 2_000;
/** UTF-16 units of a memory in the name of its button. */
const NAMED = 80;

/** What the agent remembers of the person, to be corrected or deleted. */
class ParleyMemories extends EditableRows {
  static override readonly properties = { ...EditableRows.properties, client: { attribute: false } };
  declare client: Client;
  readonly #memories = new Listing<Memory>(async (cursor) => {
    const { memories, nextCursor } = await this.client.call("memory.list", cursor === null ? {} : { cursor });
    return { items: memories, nextCursor };
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.#memories.load();
  }

  protected override render(): unknown {
    const words = text().settings;
    const memories = this.#memories.items.value;
    return html`<p class="lead">${words.memoryHint}</p>
      ${this.#memories.trouble()} ${memories?.length === 0 ? html`<p class="none">${words.memoryNone}</p>` : nothing}
      ${
        memories === undefined || memories.length === 0
          ? nothing
          : html`<ul class="rows">
              ${repeat(
                memories,
                ({ id }) => id,
                (memory) => html`<li>${memory.id === this.editing ? this.#editor(memory) : this.#row(memory)}</li>`,
              )}
            </ul>`
      }
      ${
        this.#memories.nextCursor.value === null
          ? nothing
          : html`<button type="button" class="button" @click=${() => this.#memories.more()}>${words.showMore}</button>`
      }`;
  }

  #row(memory: Memory): unknown {
    const words = text().settings;
    const short = memory.text.slice(0, NAMED);
    return html`<div class="about">
        <span class="said" dir="auto">${memory.text}</span>
        <span class="hint">${dateTime(new Date(memory.createdAt), { dateStyle: "medium" })}</span>
      </div>
      ${this.editButton(memory.id, words.editMemory(short))}
      <parley-delete .name=${words.deleteMemory(short)} @parley-delete=${() => this.#delete(memory)}></parley-delete>`;
  }

  #editor(memory: Memory): unknown {
    const words = text().settings;
    return html`<form
      class="edit"
      data-open-editor
      @submit=${(event: SubmitEvent) => this.#save(event, memory)}
      @keydown=${(event: KeyboardEvent) => this.pressed(event)}
    >
      <textarea
        aria-label=${words.memoryText}
        rows="3"
        required
        maxlength=${MAX_LENGTH}
        dir="auto"
        .value=${memory.text}
      ></textarea>
      <div class="answers">
        <button type="button" class="button" @click=${() => this.leave()}>${text().common.cancel}</button>
        <button class="button primary">${words.save}</button>
      </div>
    </form>`;
  }

  #save(event: SubmitEvent, memory: Memory): void {
    event.preventDefault();
    const said = this.querySelector("textarea")?.value.trim() ?? "";
    if (said === "") return;
    this.client.call("memory.update", { memoryId: memory.id, text: said }).then(
      (answer) => {
        this.#put((items) => items.map((one) => (one.id === memory.id ? answer.memory : one)));
        this.leave();
      },
      (error: unknown) => this.#memories.fail(error),
    );
  }

  #delete(memory: Memory): void {
    this.client.call("memory.delete", { memoryId: memory.id }).then(
      () => {
        this.#put((items) => items.filter(({ id }) => id !== memory.id));
        this.focusPanel();
      },
      (error: unknown) => this.#memories.fail(error),
    );
  }

  #put(change: (items: readonly Memory[]) => readonly Memory[]): void {
    this.#memories.items.value = change(this.#memories.items.peek() ?? []);
  }
}

define("parley-memories", ParleyMemories);
