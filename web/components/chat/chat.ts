import { effect } from "@preact/signals-core";
import { html, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { AppStore } from "../../store/app.ts";
import type { ConversationStore } from "../../store/conversation.ts";
import type { Turn } from "../../store/transcript-view.ts";
import type { ParleyComposer } from "../composer/composer.ts";
import { define, ParleyElement } from "../element.ts";
import { icons, mark } from "../icons.ts";
import { chatSheet } from "./chat.style.ts";
import { ScrollOwner } from "./scroll-owner.ts";
import { greeting, suggestionsFor } from "./welcome.ts";
import "../composer/composer.ts";
import "../message/message.ts";
import "./connection-strip.ts";

/** After this an announcement is over: the text itself is in the transcript. */
const ANNOUNCED_MS = 8_000;
/** What is read out of an answer when it is finished; the rest can be read in the transcript. */
const MAX_ANNOUNCED = 3_000;

/** The open conversation, or the place where one begins. */
class ParleyChat extends ParleyElement {
  static override readonly sheets = [chatSheet];
  static override readonly properties = {
    app: { attribute: false },
    announced: { state: true },
  };
  declare app: AppStore;
  declare announced: string;
  #scroll: ScrollOwner | undefined;
  #dock: ResizeObserver | undefined;
  #older: IntersectionObserver | undefined;
  #sentinel: Element | null = null;
  #shown: ConversationStore | undefined;
  #stopAnnouncing: (() => void) | undefined;

  constructor() {
    super();
    this.announced = "";
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#scroll?.stop();
    this.#dock?.disconnect();
    this.#older?.disconnect();
    this.#stopAnnouncing?.();
    this.#scroll = undefined;
  }

  focusComposer(): void {
    this.querySelector<ParleyComposer>("parley-composer")?.focus({ preventScroll: true });
  }

  protected override render(): unknown {
    const conversation = this.app.current.value;
    const start = this.app.start.value;
    const empty = conversation === undefined && start === undefined;
    return html`
      <div class="scroller">
        <div class="content ${empty ? "empty" : ""}">
          <div class="transcript" role="log" aria-live="off" aria-label="Conversation" tabindex=${empty ? -1 : 0}>
            ${conversation === undefined ? nothing : this.#conversation(conversation)}
            ${
              start === undefined
                ? nothing
                : html`<section class="turn fresh">
                    <article class="person starting" aria-label="You">
                      <div class="pill" dir="auto">${start.text}</div>
                    </article>
                  </section>`
            }
          </div>
          ${empty ? this.#welcome() : nothing}
          <div class="dock" ?hidden=${conversation?.status.value === "failed"}>
            ${this.#toEnd(empty)}
            <parley-connection-strip .app=${this.app}></parley-connection-strip>
            <parley-composer
              .app=${this.app}
              .conversationId=${conversation?.id ?? "new"}
              @parley-sent=${() => this.#scroll?.toEnd()}
            ></parley-composer>
            ${empty ? nothing : this.#note()}
          </div>
          ${empty ? this.#suggestions() : nothing}
        </div>
      </div>
      <div class="hidden-visually" role="status">${this.announced}</div>
    `;
  }

  #conversation(conversation: ConversationStore): unknown {
    const status = conversation.status.value;
    const turns = conversation.view.turns.value;
    if (status === "failed") return this.#failed(conversation);
    if (status === "loading" && turns.length === 0)
      return html`<div class="loading" aria-label="Loading" role="img"></div>`;
    return html`
      ${
        conversation.view.hasMore.value
          ? html`<div class="older">
              <span>${conversation.loadingOlder.value ? "Loading earlier messages…" : ""}</span>
            </div>`
          : nothing
      }
      ${repeat(
        turns,
        ({ id }) => id,
        (turn, i) => this.#turn(conversation, turn, i === turns.length - 1),
      )}
    `;
  }

  #turn(conversation: ConversationStore, turn: Turn, last: boolean): unknown {
    const [first] = turn.messages;
    const question = first?.role === "user" ? first.parts.value.map((part) => part.value.text).join("\n\n") : "";
    const fresh = last && conversation.sentHere.has(turn.id);
    return html`<section class="turn ${fresh ? "fresh" : ""}">
      ${repeat(
        turn.messages,
        ({ id }) => id,
        (message) =>
          html`<parley-message
            .app=${this.app}
            .message=${message}
            .question=${message.role === "assistant" ? question : ""}
            .answered=${turn.messages.length > 1}
          ></parley-message>`,
      )}
    </section>`;
  }

  #failed(conversation: ConversationStore): unknown {
    const gone = conversation.error.value?.code === "NOT_FOUND";
    return html`<div class="apology" role="alert">
      ${icons.alert()}
      <h2>${gone ? "This conversation is not here" : "The conversation could not be opened"}</h2>
      <p>${gone ? "It does not exist, or it belongs to somebody else." : (conversation.error.value?.message ?? "")}</p>
      ${
        gone
          ? html`<button class="button" @click=${() => this.app.router.go({ kind: "home" })}>New conversation</button>`
          : html`<button class="button" @click=${() => conversation.retry()}>${icons.retry("small")}Try again</button>`
      }
    </div>`;
  }

  #welcome(): unknown {
    return html`<div class="welcome">
      ${mark()}
      <h1>${greeting(new Date())}</h1>
    </div>`;
  }

  #suggestions(): unknown {
    return html`<div class="below">
      <div class="suggestions" role="group" aria-label="Suggestions">
        ${suggestionsFor(this.app.models.value, this.app.demo.value).map(
          ({ label, text }) => html`<button class="suggestion" @click=${() => this.#suggest(text)}>${label}</button>`,
        )}
      </div>
      ${this.#note()}
    </div>`;
  }

  #suggest(text: string): void {
    const composer = this.querySelector<ParleyComposer>("parley-composer");
    composer?.suggest(text);
    composer?.focus();
  }

  #note(): unknown {
    const model = this.app.demo.value;
    return html`<p class="quiet">
      ${
        model === undefined
          ? this.app.models.value === undefined
            ? nothing
            : "Answers can be wrong. Check what matters."
          : html`<span title=${model.hint ?? ""}>Demo model — answers are scripted; see docs.</span>`
      }
    </p>`;
  }

  #toEnd(empty: boolean): unknown {
    const away = !empty && this.#scroll !== undefined && !this.#scroll.pinned.value;
    return html`<button
      class="to-end"
      aria-label="Jump to latest"
      title="Jump to latest"
      ?hidden=${!away}
      @click=${() => {
        this.#scroll?.toEnd();
        this.focusComposer();
      }}
    >
      ${icons.arrowDown("small")}
    </button>`;
  }

  protected override firstUpdated(): void {
    const view = this.querySelector<HTMLElement>(".scroller");
    const content = this.querySelector<HTMLElement>(".content");
    const dock = this.querySelector<HTMLElement>(".dock");
    if (view === null || content === null || dock === null) return;
    this.#scroll = new ScrollOwner(view, content, content.querySelector(".transcript") ?? content);
    this.#dock = new ResizeObserver(() => view.style.setProperty("--dock", `${dock.offsetHeight}px`));
    this.#dock.observe(dock);
    this.#older = new IntersectionObserver(
      (entries) => entries.some(({ isIntersecting }) => isIntersecting) && this.#loadOlder(),
      {
        root: view,
        rootMargin: "600px 0px 0px 0px",
      },
    );
    this.requestUpdate();
  }

  protected override updated(_changed: PropertyValues<this>): void {
    const conversation = this.app.current.peek();
    if (conversation !== this.#shown) {
      this.#shown = conversation;
      this.#announce(conversation);
      this.#scroll?.toEnd();
    }
    this.#watchOlder(conversation?.loadingOlder.peek() === true);
  }

  /** Looks anew after each page: the beginning may still be near. */
  #watchOlder(loading: boolean): void {
    const sentinel = loading ? null : this.querySelector(".older");
    if (sentinel === this.#sentinel) return;
    this.#older?.disconnect();
    this.#sentinel = sentinel;
    if (sentinel !== null) this.#older?.observe(sentinel);
  }

  #loadOlder(): void {
    this.app.current.peek()?.loadOlder(() => {
      this.#scroll?.keep();
      // When the elements of the messages have rendered too, and before that is painted.
      requestAnimationFrame(() => this.#scroll?.restore());
    });
  }

  /** Says that an answer began, and once it is finished, the answer. */
  #announce(conversation: ConversationStore | undefined): void {
    this.#stopAnnouncing?.();
    this.announced = "";
    if (conversation === undefined) return;
    let responding: string | undefined;
    this.#stopAnnouncing = effect(() => {
      const run = conversation.view.activeRun.value;
      if (run?.id === responding) return;
      const finished = responding;
      responding = run?.id;
      if (run !== undefined) this.announced = "Responding";
      else if (finished !== undefined) this.#announceAnswer();
    });
  }

  #announceAnswer(): void {
    // Its last words are rendered with the next frame.
    requestAnimationFrame(() => {
      const article = [...this.querySelectorAll<HTMLElement>(".agent")].at(-1);
      const text = [...(article?.querySelectorAll("parley-markdown") ?? [])]
        .map(({ textContent }) => textContent)
        .join(" ");
      const state = article?.querySelector(".word")?.textContent ?? "";
      const announced = `${state} ${text}`.trim().slice(0, MAX_ANNOUNCED);
      this.announced = announced;
      setTimeout(() => {
        if (this.announced === announced) this.announced = "";
      }, ANNOUNCED_MS);
    });
  }
}

define("parley-chat", ParleyChat);
export type { ParleyChat };
