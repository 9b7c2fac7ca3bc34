import { html, nothing, type PropertyValues } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { AppStore } from "../../store/app.ts";
import type { ConversationStore } from "../../store/conversation.ts";
import { afterFrame } from "../../store/frame.ts";
import type { Turn } from "../../store/transcript-view.ts";
import { errorText } from "../../text/error-text.ts";
import { text } from "../../text/text.ts";
import type { ParleyComposer } from "../composer/composer.ts";
import { define, ParleyElement } from "../element.ts";
import { icons, mark } from "../icons.ts";
import { messageFiles } from "../message/files.ts";
import { Announcer } from "./announcer.ts";
import { chatSheet } from "./chat.style.ts";
import { ScrollOwner } from "./scroll-owner.ts";
import { greeting, suggestionsFor } from "./welcome.ts";
import "../composer/composer.ts";
import "../message/message.ts";
import "./connection-strip.ts";

/** A conversation that opens shows so many of its last turns at once, and after each frame so many before them. */
const FIRST_TURNS = 5;
const MORE_TURNS = 3;

/** The open conversation, or the place where one begins. (`parley-chat` is the element for other sites' pages.) */
class ParleyChat extends ParleyElement {
  static override readonly sheets = [chatSheet];
  static override readonly properties = {
    app: { attribute: false },
    dropping: { state: true },
    mounted: { state: true },
  };
  declare app: AppStore;
  /** Files are held over the page. */
  declare dropping: boolean;
  /** So many of the last turns are on the page. */
  declare mounted: number;
  #scroll: ScrollOwner | undefined;
  #dock: ResizeObserver | undefined;
  #older: IntersectionObserver | undefined;
  #sentinel: Element | null = null;
  #shown: ConversationStore | undefined;
  #mounting: ConversationStore | undefined;
  readonly #announcer = new Announcer(this);

  constructor() {
    super();
    this.dropping = false;
    this.mounted = FIRST_TURNS;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#scroll?.stop();
    this.#dock?.disconnect();
    this.#older?.disconnect();
    this.#announcer.stop();
    this.#scroll = undefined;
  }

  /** Brings to view what stands in this box of the window. */
  showBox(box: { readonly top: number }): void {
    this.#scroll?.toBox(box);
  }

  focusComposer(): void {
    this.querySelector<ParleyComposer>("parley-composer")?.focus({ preventScroll: true });
  }

  protected override willUpdate(): void {
    const conversation = this.app.current.peek();
    if (conversation === this.#mounting) return;
    this.#mounting = conversation;
    this.mounted = FIRST_TURNS;
  }

  protected override render(): unknown {
    const conversation = this.app.current.value;
    const start = this.app.start.value;
    const shared = this.app.shared.value;
    const empty = conversation === undefined && start === undefined && shared === undefined;
    return html`
      <div
        class="scroller"
        @dragover=${(event: DragEvent) => this.#dragged(event)}
        @dragleave=${(event: DragEvent) => this.#left(event)}
        @drop=${(event: DragEvent) => this.#dropped(event)}
      >
        <div class="content ${empty ? "empty" : ""}">
          <div
            class="transcript"
            part="transcript"
            role="log"
            aria-live="off"
            aria-label=${text().chat.conversation}
            tabindex=${empty ? -1 : 0}
            ?data-busy=${conversation?.busy.value === true}
            ?data-read-only=${shared !== undefined}
          >
            ${conversation === undefined ? nothing : this.#conversation(conversation)}
            ${
              start === undefined
                ? nothing
                : html`<section class="turn fresh">
                    <article class="person starting" aria-label=${text().common.you}>
                      ${messageFiles(start.files, this.app.fileAccess)}
                      <div class="pill" part="said" dir="auto">${start.text}</div>
                    </article>
                  </section>`
            }
          </div>
          ${empty ? this.#welcome() : nothing}
          ${shared === undefined ? nothing : html`<parley-shared .app=${this.app} .shared=${shared}></parley-shared>`}
          <div class="dock" ?hidden=${shared !== undefined || conversation?.status.value === "failed"}>
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
      ${
        this.dropping
          ? html`<div class="drop-here">${icons.attach()}<span>${text().chat.dropFiles}</span></div>`
          : nothing
      }
      <div class="hidden-visually" role="status">${this.#announcer.polite.value}</div>
      <div class="hidden-visually" role="alert">${this.#announcer.assertive.value}</div>
    `;
  }

  #conversation(conversation: ConversationStore): unknown {
    const status = conversation.status.value;
    const all = conversation.view.turns.value;
    const turns = all.length > this.mounted ? all.slice(-this.mounted) : all;
    if (status === "failed") return conversation.readOnly ? nothing : this.#failed(conversation);
    if (status === "loading" && turns.length === 0)
      return html`<div class="loading" aria-label=${text().chat.loading} role="img"></div>`;
    return html`
      ${
        conversation.view.hasMore.value && turns === all
          ? html`<div class="older">
              <span>${conversation.loadingOlder.value ? text().chat.loadingOlder : ""}</span>
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
    const fresh = last && conversation.sentHere.has(turn.id);
    return html`<section class="turn ${fresh ? "fresh" : ""}">
      ${repeat(
        turn.messages,
        ({ id }) => id,
        (message) =>
          html`<parley-message
            .app=${this.app}
            .message=${message}
            .answered=${turn.messages.length > 1}
          ></parley-message>`,
      )}
    </section>`;
  }

  #failed(conversation: ConversationStore): unknown {
    const error = conversation.error.value;
    const gone = error?.code === "NOT_FOUND";
    return html`<div class="apology" role="alert">
      ${icons.alert()}
      <h2>${gone ? text().chat.gone : text().chat.notOpened}</h2>
      <p>${gone ? text().chat.goneWhy : error === undefined ? "" : errorText(error)}</p>
      ${
        gone
          ? html`<button class="button" @click=${() => this.app.router.go({ kind: "home" })}>
              ${text().common.newConversation}
            </button>`
          : html`<button class="button" @click=${() => conversation.retry()}>
              ${icons.retry("small")}${text().common.tryAgain}
            </button>`
      }
    </div>`;
  }

  #welcome(): unknown {
    return html`<div class="welcome" part="welcome">
      ${mark()}
      <h1 aria-level=${this.app.embedded ? 3 : 1}>${greeting(new Date())}</h1>
    </div>`;
  }

  #suggestions(): unknown {
    return html`<div class="below">
      <div class="suggestions" role="group" aria-label=${text().chat.suggestions}>
        ${suggestionsFor(this.app.models.value, this.app.demo.value).map(
          (suggestion) =>
            html`<button class="suggestion" @click=${() => this.#suggest(suggestion.text)}>
              ${suggestion.label}
            </button>`,
        )}
      </div>
      ${this.#note()}
    </div>`;
  }

  #suggest(wish: string): void {
    const composer = this.querySelector<ParleyComposer>("parley-composer");
    composer?.suggest(wish);
    composer?.focus();
  }

  #note(): unknown {
    const model = this.app.demo.value;
    return html`<p class="quiet">
      ${
        model === undefined
          ? this.app.models.value === undefined
            ? nothing
            : text().chat.canBeWrong
          : html`<span title=${model.hint ?? ""}>${text().chat.demo}</span>`
      }
    </p>`;
  }

  #toEnd(empty: boolean): unknown {
    const away = !empty && this.#scroll !== undefined && !this.#scroll.pinned.value;
    const waits = away && this.app.current.value?.view.activeRun.value?.status === "waiting";
    const label = waits ? text().chat.decisionNeeded : text().chat.toLatest;
    return html`<button
      class="to-end ${waits ? "waits" : ""}"
      aria-label=${label}
      title=${label}
      ?hidden=${!away}
      @click=${() => this.#goToEnd()}
    >
      ${icons.arrowDown("small")}${waits ? html`<span>${label}</span>` : nothing}
    </button>`;
  }

  #goToEnd(): void {
    this.#scroll?.toEnd();
    const question = this.querySelector<HTMLElement>("parley-approval .answers button");
    if (question === null) this.focusComposer();
    else question.focus({ preventScroll: true });
  }

  protected override firstUpdated(): void {
    const view = this.querySelector<HTMLElement>(".scroller");
    const content = this.querySelector<HTMLElement>(".content");
    const dock = this.querySelector<HTMLElement>(".dock");
    if (view === null || content === null || dock === null) return;
    this.#scroll = new ScrollOwner(view, content, content.querySelector(".transcript") ?? content);
    this.#dock = new ResizeObserver(() => view.style.setProperty("--dock", `${dock.offsetHeight}px`));
    this.#dock.observe(dock);
    this.#toPlace();
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
      this.#announcer.follow(conversation);
      this.#toPlace();
    }
    this.#watchOlder(conversation?.loadingOlder.peek() === true);
    this.#mountMore(conversation);
  }

  /** Of a conversation, its end; of the place where one begins, the greeting. */
  #toPlace(): void {
    if (this.querySelector(".welcome") !== null) this.#scroll?.toStart();
    else if (this.app.current.peek()?.status.peek() === "loading") this.#scroll?.follow();
    else this.#scroll?.toEnd();
  }

  #mountMore(conversation: ConversationStore | undefined): void {
    const turns = conversation?.view.turns.peek().length ?? 0;
    if (this.mounted === Infinity || turns === 0) return;
    if (this.mounted >= turns) this.mounted = Infinity;
    else afterFrame(() => this.#mount(this.mounted + MORE_TURNS));
  }

  /** Above what is read, which stays where it stands. */
  #mount(turns: number): void {
    this.#scroll?.keep();
    this.mounted = turns;
    // When the elements of the messages have rendered too, and before that is painted.
    requestAnimationFrame(() => this.#scroll?.restore());
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
    const conversation = this.app.current.peek();
    // What comes is mounted in steps, as when a conversation opens.
    conversation?.loadOlder(() => (this.mounted = conversation.view.turns.peek().length));
  }

  #dragged(event: DragEvent): void {
    if (this.app.embedded || event.dataTransfer?.types.includes("Files") !== true) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    this.dropping = true;
  }

  /** Not when it is only held over something else in here. */
  #left({ relatedTarget, currentTarget }: DragEvent): void {
    const inside =
      currentTarget instanceof Node && relatedTarget instanceof Node && currentTarget.contains(relatedTarget);
    if (!inside) this.dropping = false;
  }

  #dropped(event: DragEvent): void {
    this.dropping = false;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (this.app.embedded || files.length === 0) return;
    event.preventDefault();
    this.querySelector<ParleyComposer>("parley-composer")?.attach(files);
  }
}

define("parley-conversation", ParleyChat);
export type { ParleyChat };
