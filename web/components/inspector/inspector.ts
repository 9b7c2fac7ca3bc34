/** What goes on behind a conversation: its runs step by step, and its events as they come. Fetched when it is opened. */
import { html } from "lit";
import type { AppStore } from "../../store/app.ts";
import { EventRing } from "../../store/event-ring.ts";
import { RunInspection } from "../../store/run-inspection.ts";
import type { Shell } from "../../store/shell.ts";
import type { MessageView } from "../../store/transcript-view.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { inspectorSheet } from "./inspector.style.ts";
import "./events-view.ts";
import "./run-view.ts";

const TABS = ["run", "events"] as const;
type Tab = (typeof TABS)[number];

class ParleyInspector extends ParleyElement {
  static override readonly sheets = [inspectorSheet];
  static override readonly properties = {
    app: { attribute: false },
    shell: { attribute: false },
    tab: { state: true },
  };
  declare app: AppStore;
  declare shell: Shell;
  declare tab: Tab;
  #run: RunInspection | undefined;
  #topic: { readonly id: string; readonly ring: EventRing; readonly close: () => void } | undefined;

  constructor() {
    super();
    this.tab = "run";
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#run?.close();
    this.#topic?.close();
    this.#run = undefined;
    this.#topic = undefined;
  }

  protected override render(): unknown {
    const words = text().inspector;
    const answer = this.#answer();
    const ring = this.#follow(this.app.current.value?.id);
    const inspection = this.#inspect(answer?.runId.value ?? undefined);
    return html`
      <div class="head">
        <h2>${words.title}</h2>
        <button
          class="icon-button"
          aria-label=${words.close}
          title=${words.close}
          @click=${() => this.shell.inspect(undefined)}
        >
          ${icons.close()}
        </button>
      </div>
      <div class="tabs" role="tablist" aria-label=${words.tabs} @keydown=${(event: KeyboardEvent) => this.#key(event)}>
        ${TABS.map(
          (tab) =>
            html`<button
              role="tab"
              id=${`inspector-${tab}`}
              aria-selected=${this.tab === tab ? "true" : "false"}
              aria-controls="inspector-panel"
              tabindex=${this.tab === tab ? 0 : -1}
              @click=${() => (this.tab = tab)}
            >
              ${words[tab]}
            </button>`,
        )}
      </div>
      <div
        class="panel-body"
        role="tabpanel"
        id="inspector-panel"
        aria-labelledby=${`inspector-${this.tab}`}
        tabindex="0"
      >
        ${
          this.tab === "events"
            ? ring === undefined
              ? html`<p class="hint">${words.noEvents}</p>`
              : html`<parley-events-view .ring=${ring}></parley-events-view>`
            : inspection === undefined
              ? html`<p class="hint">${words.noRun}</p>`
              : html`<parley-run-view .inspection=${inspection} .message=${answer}></parley-run-view>`
        }
      </div>
    `;
  }

  /** The answer that was chosen, else the newest. */
  #answer(): MessageView | undefined {
    const chosen = this.shell.inspected.value?.messageId;
    const turns = this.app.current.value?.view.turns.value ?? [];
    const answers = turns.flatMap(({ messages }) => messages).filter(({ role }) => role === "assistant");
    return answers.find(({ id }) => id === chosen) ?? answers.at(-1);
  }

  #inspect(runId: string | undefined): RunInspection | undefined {
    if (this.#run?.runId === runId) return this.#run;
    this.#run?.close();
    this.#run = runId === undefined ? undefined : new RunInspection(this.shell.client, runId);
    return this.#run;
  }

  #follow(id: string | undefined): EventRing | undefined {
    if (this.#topic?.id === id) return this.#topic?.ring;
    this.#topic?.close();
    this.#topic = undefined;
    if (id === undefined) return undefined;
    const ring = new EventRing();
    const subscription = this.shell.client.subscribe(`conversation:${id}`, {
      snapshot: () => this.#run?.changed(),
      event: (event, meta) => {
        ring.add({ ...meta, event });
        this.#run?.changed();
      },
    });
    this.#topic = { id, ring, close: () => subscription.close() };
    return ring;
  }

  #key(event: KeyboardEvent): void {
    const next = { ArrowLeft: -1, ArrowRight: 1, Home: -1, End: 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const tabs = [...this.querySelectorAll<HTMLElement>("[role=tab]")];
    const other = tabs.find((tab) => tab !== document.activeElement);
    this.tab = this.tab === "run" ? "events" : "run";
    other?.focus();
  }

  protected override firstUpdated(): void {
    this.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus({ preventScroll: true });
  }
}

define("parley-inspector", ParleyInspector);
