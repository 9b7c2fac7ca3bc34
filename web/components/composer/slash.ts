import { html, nothing, type PropertyValues } from "lit";
import type { AppStore } from "../../store/app.ts";
import { fit } from "../../store/fuzzy.ts";
import { text } from "../../text/text.ts";
import { commands } from "../commands/commands.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { slashSheet } from "./slash.style.ts";

const MAX_SHOWN = 30;

/** What a person chose from the list. */
export type Slash =
  | { readonly kind: "prompt"; readonly text: string }
  | { readonly kind: "command"; readonly run: () => void };

interface Item {
  readonly key: string;
  readonly name: string;
  readonly about: string;
  readonly icon: keyof typeof icons;
  readonly chosen: Slash;
}

/** `/` at the beginning of a message, and nothing behind it but what is looked for. */
const lookedFor = (written: string): string | undefined => /^\/(\S{0,60})$/u.exec(written)?.[1];

/**
 * Prompts and commands by their names. The focus stays in the field before it, whose keys come by `pressed`. Fires
 * `parley-slash` with what was chosen as `detail`.
 */
class ParleySlash extends ParleyElement {
  static override readonly sheets = [slashSheet];
  static override readonly properties = {
    app: { attribute: false },
    written: { attribute: false },
    at: { state: true },
    dismissed: { state: true },
  };
  declare app: AppStore;
  /** All that stands in the field. */
  declare written: string;
  declare at: number;
  /** Closed by Escape, until something else is begun. */
  declare dismissed: boolean;
  #items: readonly Item[] = [];

  constructor() {
    super();
    this.written = "";
    this.at = 0;
    this.dismissed = false;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("written")) return;
    this.at = 0;
    const before = lookedFor(changed.get("written") ?? "");
    const now = lookedFor(this.written);
    if (now === undefined) this.dismissed = false;
    else if (before === undefined) this.app.shell.peek()?.prompts.load();
  }

  protected override render(): unknown {
    const typed = this.dismissed ? undefined : lookedFor(this.written);
    this.#items = typed === undefined ? [] : this.#find(typed);
    const items = this.#items;
    const words = text().commands;
    const at = this.#at();
    return html`${
        items.length === 0
          ? nothing
          : html`<div
              class="slash"
              id="slash-list"
              role="listbox"
              tabindex="0"
              aria-label=${words.slash}
              data-open-list
            >
              ${items.map((item, index) => this.#option(item, index, at))}
            </div>`
      }
      <div class="hidden-visually" role="status">
        ${typed === undefined ? "" : `${words.slash}: ${words.results(items.length)}`}
      </div>`;
  }

  #at(): number {
    return Math.min(this.at, this.#items.length - 1);
  }

  #option({ name, about, icon, chosen }: Item, index: number, at: number): unknown {
    return html`<div
      class="option"
      id=${`slash-${index}`}
      role="option"
      aria-selected=${index === at ? "true" : "false"}
      @pointermove=${() => (this.at = index)}
      @pointerdown=${(event: Event) => event.preventDefault()}
      @click=${() => this.#choose(chosen)}
    >
      ${icons[icon]("small")}<span class="name" dir="auto">${name}</span><span class="about" dir="auto">${about}</span>
    </div>`;
  }

  /** Best first; all, prompts before commands, where nothing is typed. */
  #find(typed: string): readonly Item[] {
    const shell = this.app.shell.value;
    if (shell === undefined) return [];
    const prompts = (shell.prompts.items.value ?? []).map((prompt): Item & { readonly slash: string } => ({
      key: prompt.id,
      name: prompt.name,
      about: prompt.text,
      icon: "bookmark",
      slash: "",
      chosen: { kind: "prompt", text: prompt.text },
    }));
    const able = commands(this.app, shell).flatMap(({ id, name, icon, slash, can, run }) =>
      can && slash !== undefined
        ? [{ key: id, name: `/${slash}`, about: name, icon, slash, chosen: { kind: "command", run } as const }]
        : [],
    );
    const score = ({ name, about, slash }: (typeof able)[number] | (typeof prompts)[number]): number | undefined => {
      // A command goes by its short name, and by what it is called.
      const scores = slash === "" ? [fit(name, typed)] : [fit(slash, typed), fit(about, typed)];
      const known = scores.filter((each) => each !== undefined);
      return known.length === 0 ? undefined : Math.max(...known);
    };
    return [...prompts, ...able]
      .flatMap((item) => {
        const fits = typed === "" ? 0 : score(item);
        return fits === undefined ? [] : [{ item, fits }];
      })
      .toSorted((a, b) => b.fits - a.fits)
      .slice(0, MAX_SHOWN)
      .map(({ item }) => item);
  }

  /** True where the key was this list's. Keys of an input method never are. */
  pressed(event: KeyboardEvent): boolean {
    const count = this.#items.length;
    if (count === 0 || event.isComposing || event.keyCode === 229) return false;
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return false;
    switch (event.key) {
      case "ArrowDown":
        this.at = (this.#at() + 1) % count;
        break;
      case "ArrowUp":
        this.at = (this.#at() - 1 + count) % count;
        break;
      case "Enter":
      case "Tab": {
        const item = this.#items[this.#at()];
        if (item !== undefined) this.#choose(item.chosen);
        break;
      }
      case "Escape":
        this.dismissed = true;
        break;
      default:
        return false;
    }
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  #choose(chosen: Slash): void {
    this.dispatchEvent(new CustomEvent<Slash>("parley-slash", { detail: chosen }));
  }

  /** The field says what its list is, and which of it is meant. */
  protected override updated(): void {
    this.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
    const field = this.parentElement?.querySelector("textarea");
    if (field === undefined || field === null) return;
    if (this.#items.length === 0) {
      for (const name of ["aria-controls", "aria-activedescendant", "aria-autocomplete"]) field.removeAttribute(name);
    } else {
      field.setAttribute("aria-controls", "slash-list");
      field.setAttribute("aria-autocomplete", "list");
      field.setAttribute("aria-activedescendant", `slash-${this.#at()}`);
    }
  }
}

define("parley-slash", ParleySlash);
export type { ParleySlash };
