import { html, nothing, type PropertyValues } from "lit";
import { fit, fitting } from "../../store/fuzzy.ts";
import type { SearchResult } from "../../store/search.ts";
import { text } from "../../text/text.ts";
import { type Command, commands } from "../commands/commands.ts";
import { hasLetters } from "../composer/has-letters.ts";
import { define } from "../element.ts";
import { icons } from "../icons.ts";
import { panelSheet } from "../panel/panel.style.ts";
import { ParleyPanel } from "../panel/panel.ts";
import { keyCaps } from "../shortcuts/key-caps.ts";
import { excerptLine, holdsWords } from "../sidebar/marked.ts";
import { titleOf } from "../sidebar/title.ts";
import { paletteSheet } from "./palette.style.ts";

/** Conversations that are shown before somebody types. */
const RECENT = 5;
const MAX_SHOWN = 50;
/** After the last letter, the server is asked for titles and messages. */
const ASK_MS = 200;
const ASKED = 20;

interface Item {
  readonly key: string;
  readonly name: string;
  readonly icon: keyof typeof icons;
  readonly command: Command | undefined;
  /** Below the name. */
  readonly detail?: unknown;
  readonly run: () => void;
}

interface Group {
  readonly name: string;
  readonly items: readonly Item[];
}

/** Finds commands and conversations by what somebody types. */
class ParleyPalette extends ParleyPanel {
  static override readonly sheets = [panelSheet, paletteSheet];
  static override readonly properties = {
    ...ParleyPanel.properties,
    typed: { state: true },
    at: { state: true },
    found: { state: true },
  };
  declare typed: string;
  /** Which one Enter takes. */
  declare at: number;
  /** What the server found for what is typed, or was a moment ago. */
  declare found: readonly SearchResult[];
  protected override readonly look = "palette";
  #asking: ReturnType<typeof setTimeout> | undefined;
  #asked: AbortController | undefined;

  constructor() {
    super();
    this.typed = "";
    this.at = 0;
    this.found = [];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#cancel();
  }

  #cancel(): void {
    clearTimeout(this.#asking);
    this.#asked?.abort();
    this.#asked = undefined;
  }

  protected override name(): string {
    return text().commands.palette;
  }

  protected override content(): unknown {
    const words = text().commands;
    const groups = this.#groups();
    const items = groups.flatMap((group) => group.items);
    const at = Math.min(this.at, items.length - 1);
    let index = 0;
    return html`<div class="find">
        ${icons.search()}
        <input
          type="text"
          role="combobox"
          aria-label=${words.placeholder}
          aria-expanded="true"
          aria-controls="palette-list"
          aria-autocomplete="list"
          aria-activedescendant=${items.length === 0 ? nothing : `palette-${at}`}
          placeholder=${words.placeholder}
          autocomplete="off"
          autocapitalize="off"
          spellcheck="false"
          enterkeyhint="go"
          dir=${hasLetters(this.typed) ? "auto" : nothing}
          .value=${this.typed}
          @input=${(event: Event) => this.#input(event)}
          @keydown=${(event: KeyboardEvent) => this.#key(event, items, at)}
        />
        ${this.closeButton()}
      </div>
      <div class="list" id="palette-list" role="listbox" aria-label=${words.palette}>
        ${groups.map(
          ({ name, items: members }) =>
            html`<div role="group" aria-label=${name}>
              <div class="heading" aria-hidden="true">${name}</div>
              ${members.map((item) => this.#option(item, index++, at))}
            </div>`,
        )}
      </div>
      ${items.length === 0 ? html`<p class="none">${words.none}</p>` : nothing}
      <div class="hidden-visually" role="status">${this.typed === "" ? "" : words.results(items.length)}</div>`;
  }

  #option({ name, icon, command, detail, run }: Item, index: number, at: number): unknown {
    const [keys] = command?.keys ?? [];
    return html`<div
      class="option"
      id=${`palette-${index}`}
      role="option"
      aria-selected=${index === at ? "true" : "false"}
      @pointermove=${() => (this.at = index)}
      @click=${() => this.#run(run)}
    >
      ${icons[icon]()}<span class="name" dir="auto">${name}${detail ?? nothing}</span>
      ${
        command?.chosen === true
          ? html`<span class="chosen"
              >${icons.check("small")}<span class="hidden-visually">${text().commands.chosen}</span></span
            >`
          : nothing
      }
      ${keys === undefined ? nothing : keyCaps(keys)}
    </div>`;
  }

  #groups(): readonly Group[] {
    const words = text().commands;
    const { typed } = this;
    const able = commands(this.app, this.shell).filter(({ can, id }) => can && id !== "palette");
    const all = able.map(({ id, name, icon, run }, i): Item => ({ key: id, name, icon, command: able[i], run }));
    const conversations = this.#conversations();
    if (typed.trim() === "") {
      const of = (section: Command["section"]): readonly Item[] =>
        all.filter(({ command }) => command?.section === section);
      return [
        { name: words.sections.answer, items: of("answer") },
        { name: words.sections.page, items: of("page") },
        { name: words.sections.conversation, items: conversations.slice(0, RECENT) },
      ].filter(({ items }) => items.length > 0);
    }
    const groups = [
      { name: words.palette, items: fitting(all, typed, ({ name }) => name).slice(0, MAX_SHOWN) },
      {
        name: words.sections.conversation,
        items: fitting(conversations, typed, ({ name }) => name).slice(0, MAX_SHOWN),
      },
    ];
    const messages = { name: words.sections.message, items: this.#messages().slice(0, MAX_SHOWN) };
    const best = ({ items: [first] }: Group): number => (first === undefined ? -1 : (fit(first.name, typed) ?? -1));
    const byName = groups.toSorted((a, b) => best(b) - best(a));
    return [...byName, messages].filter(({ items }) => items.length > 0);
  }

  #conversations(): readonly Item[] {
    const titled = this.found.flatMap(({ conversation, excerpt }) => (excerpt === undefined ? [conversation] : []));
    const byId = new Map([...(this.app.list.value?.items.value ?? []), ...titled].map((one) => [one.id, one]));
    return [...byId.values()].map((conversation): Item => {
      const { id } = conversation;
      const run = (): void => this.app.router.go({ kind: "conversation", id });
      return { key: id, name: titleOf(conversation), icon: "message", command: undefined, run };
    });
  }

  /** What was said: the way leads to the message. */
  #messages(): readonly Item[] {
    const words = this.typed;
    return this.found.flatMap(({ conversation, excerpt }): Item[] => {
      // Of what was typed a moment ago.
      if (excerpt === undefined || !holdsWords(excerpt.text, words)) return [];
      const { id } = conversation;
      const { messageId } = excerpt;
      const run = (): void => this.app.router.go({ kind: "conversation", id, messageId, words });
      const detail = html`<span class="excerpt" dir="auto">${excerptLine(excerpt, words)}</span>`;
      return [{ key: messageId, name: titleOf(conversation), icon: "search", command: undefined, detail, run }];
    });
  }

  #input({ target }: Event): void {
    if (!(target instanceof HTMLInputElement)) return;
    this.typed = target.value;
    this.at = 0;
    this.#cancel();
    const query = target.value.trim().slice(0, 200);
    if (query !== "") this.#asking = setTimeout(() => this.#ask(query), ASK_MS);
  }

  #ask(query: string): void {
    const asked = new AbortController();
    this.#asked = asked;
    this.shell.client.call("conversation.search", { query, limit: ASKED }, { signal: asked.signal }).then(
      ({ results }) => {
        if (this.#asked === asked) this.found = results;
      },
      // Those of the list are found all the same.
      () => undefined,
    );
  }

  #key(event: KeyboardEvent, items: readonly Item[], at: number): void {
    if (event.isComposing || event.keyCode === 229) return;
    const to = targetOf(event.key, at, items.length);
    if (to !== undefined) this.at = to;
    else if (event.key === "Enter") this.#run(items[at]?.run);
    else return;
    event.preventDefault();
  }

  #run(run: (() => void) | undefined): void {
    if (run === undefined) return;
    this.close();
    // When the focus is back where it was.
    queueMicrotask(run);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("at")) this.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }
}

function targetOf(key: string, at: number, count: number): number | undefined {
  if (count === 0) return undefined;
  switch (key) {
    case "ArrowDown":
      return (at + 1) % count;
    case "ArrowUp":
      return (at - 1 + count) % count;
    default:
      return undefined;
  }
}

define("parley-palette", ParleyPalette);
