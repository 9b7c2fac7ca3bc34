import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { type EventRing, nameOfEvent, type SeenEvent } from "../../store/event-ring.ts";
import { dateTime } from "../../text/locale.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import "./copy-json.ts";

/** Of those that match, the newest are listed. */
const LISTED = 150;
/** While events come, the list is looked at so often and not with each of them. */
const LOOK_MS = 250;

/** The raw events of a topic since the inspector was opened. */
class ParleyEventsView extends ParleyElement {
  static override readonly properties = {
    ring: { attribute: false },
    words: { state: true },
    seen: { state: true },
  };
  declare ring: EventRing;
  /** Of the filter. */
  declare words: string;
  /** Changes of the ring that are shown. */
  declare seen: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stop: (() => void) | undefined;

  constructor() {
    super();
    this.words = "";
    this.seen = 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = this.ring.changes.subscribe(() => {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.seen = this.ring.changes.peek();
      }, LOOK_MS);
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  protected override render(): unknown {
    const words = text().inspector;
    const { ring } = this;
    const paused = ring.paused.value;
    const found = ring.matching(this.words, LISTED);
    const dropped = ring.dropped.peek();
    return html`
      <div class="tools">
        <input
          type="search"
          class="filter"
          aria-label=${words.filter}
          placeholder=${words.filter}
          autocomplete="off"
          @input=${({ target }: Event) => target instanceof HTMLInputElement && (this.words = target.value)}
        />
        <button
          class="icon-button"
          aria-label=${paused ? words.resume : words.pause}
          title=${paused ? words.resume : words.pause}
          @click=${() => ring.pause(!paused)}
        >
          ${paused ? icons.play("small") : icons.pause("small")}
        </button>
        <button class="icon-button" aria-label=${words.clear} title=${words.clear} @click=${() => ring.clear()}>
          ${icons.trash("small")}
        </button>
      </div>
      <p class="hint" role="status">
        ${paused ? `${words.paused} ${words.fresh(ring.missed.value)}` : dropped > 0 ? words.dropped(dropped) : nothing}
      </p>
      ${
        found.length === 0
          ? html`<p class="hint">${this.words.trim() === "" ? words.noEvents : words.noMatch}</p>`
          : html`<ol class="events">
              ${repeat(
                found,
                ({ epoch, seq }) => `${epoch} ${seq}`,
                (item) => eventLine(item),
              )}
            </ol>`
      }
      <div class="tools">
        <parley-copy-json .value=${() => ring.matching(this.words, Infinity).toReversed()}></parley-copy-json>
      </div>
    `;
  }
}

function eventLine(item: SeenEvent): unknown {
  const time = dateTime(new Date(item.ts), {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
  });
  return html`<li>
    <details @toggle=${opened(item)}>
      <summary>
        <span class="seq">${item.seq}</span><bdi class="name">${nameOfEvent(item)}</bdi
        ><time datetime=${item.ts}>${time}</time>
      </summary>
      <pre tabindex="0" role="group" aria-label=${nameOfEvent(item)} dir="ltr"></pre>
    </details>
  </li>`;
}

/** What is in it is written when somebody looks. */
const opened = (item: SeenEvent) => (event: Event) => {
  const details = event.currentTarget;
  const place = details instanceof HTMLDetailsElement && details.open ? details.querySelector("pre") : null;
  if (place !== null) place.textContent = JSON.stringify(item.event, null, 2);
};

define("parley-events-view", ParleyEventsView);
