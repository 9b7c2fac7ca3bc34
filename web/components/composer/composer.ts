import { html, nothing, type PropertyValues } from "lit";
import type { AppStore } from "../../store/app.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { closeMenu, menuKeys, menuSheet, menuToggled } from "../menu/menu.ts";
import { composerSheet } from "./composer.style.ts";

const KEEP_MS = 300;
/** As the server takes it. */
const MAX_LENGTH = 100_000;

/** Where one writes. Also shows what waits to be answered, above the field. */
class ParleyComposer extends ParleyElement {
  static override readonly sheets = [menuSheet, composerSheet];
  static override readonly properties = {
    app: { attribute: false },
    conversationId: { attribute: false },
    text: { state: true },
  };
  declare app: AppStore;
  /** `new`: the one that begins with this message. */
  declare conversationId: string;
  declare text: string;
  #keepTimer: ReturnType<typeof setTimeout> | undefined;
  #wasStarting = false;
  readonly #keepNow = (): void => this.#keep(this.conversationId);

  constructor() {
    super();
    this.text = "";
    this.conversationId = "new";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("pagehide", this.#keepNow);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("pagehide", this.#keepNow);
    this.#keepNow();
  }

  override focus(options?: FocusOptions): void {
    this.querySelector("textarea")?.focus(options);
  }

  /** Puts a text in, as if it had been written. */
  suggest(text: string): void {
    this.text = text;
    this.#submit();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("conversationId");
    if (changed.has("conversationId")) {
      if (typeof before === "string") this.#keep(before);
      this.text = this.app.drafts.peek()?.read(this.conversationId) ?? "";
    }
  }

  protected override render(): unknown {
    const conversation = this.app.current.value;
    const starting = this.app.start.value !== undefined;
    this.#recover(starting);
    const busy = conversation?.view.activeRun.value !== undefined;
    const stopping = conversation?.stopping.value === true;
    const empty = this.text.trim() === "";
    return html`${this.#queue()} ${this.#notice()}
      <form
        class="composer"
        @submit=${(event: SubmitEvent) => this.#submitted(event)}
        @pointerdown=${(event: PointerEvent) => this.#pressed(event)}
      >
        <textarea
          rows="1"
          aria-label="Message"
          placeholder=${busy ? "Write the next message" : "Message Parley"}
          enterkeyhint="send"
          autocomplete="off"
          maxlength=${MAX_LENGTH}
          .value=${this.text}
          @input=${(event: InputEvent) => this.#written(event)}
          @keydown=${(event: KeyboardEvent) => this.#key(event)}
        ></textarea>
        <div class="controls">
          ${this.#model()}
          <span class="push"></span>
          ${busy ? this.#stopButton(stopping, empty) : nothing}
          ${busy && empty ? nothing : this.#sendButton(busy, empty || starting)}
        </div>
      </form>`;
  }

  #model(): unknown {
    const models = this.app.models.value?.filter(({ available }) => available) ?? [];
    const [model] = models;
    return model === undefined ? nothing : html`<span class="model">${model.name}</span>`;
  }

  #stopButton(stopping: boolean, alone: boolean): unknown {
    return html`<button
      type="button"
      class="round stop ${alone ? "strong" : ""}"
      aria-label="Stop"
      title="Stop (Esc)"
      ?disabled=${stopping}
      @click=${() => this.app.current.value?.stop()}
    >
      ${icons.stop()}
    </button>`;
  }

  #sendButton(busy: boolean, disabled: boolean): unknown {
    const label = busy ? "Queue message" : "Send message";
    const send = html`<button
      class="round send"
      aria-label=${label}
      title=${busy ? "Queue (Enter)" : "Send (Enter)"}
      aria-disabled=${disabled ? "true" : "false"}
    >
      ${icons.arrowUp()}
    </button>`;
    if (!busy) return send;
    return html`<span class="split"
        >${send}<button
          type="button"
          class="more"
          popovertarget="send-menu"
          aria-haspopup="menu"
          aria-label="More ways to send"
          title="More ways to send"
        >
          ${icons.chevronUp("small")}
        </button></span
      >
      <div
        class="menu"
        id="send-menu"
        popover="auto"
        role="menu"
        aria-label="Ways to send"
        data-align="end"
        @toggle=${menuToggled}
        @keydown=${menuKeys}
      >
        <button type="button" role="menuitem" tabindex="-1" @click=${(event: Event) => this.#choose(event, undefined)}>
          ${icons.clock()}<span>Queue after this answer</span><span class="trailing">Enter</span>
        </button>
        <button
          type="button"
          role="menuitem"
          tabindex="-1"
          @click=${(event: Event) => this.#choose(event, "interrupt")}
        >
          ${icons.stop()}<span>Interrupt and send now</span>
        </button>
      </div>`;
  }

  #queue(): unknown {
    const conversation = this.app.current.value;
    const queued = conversation?.view.queued.value ?? [];
    if (conversation === undefined || queued.length === 0) return nothing;
    return html`<ul class="queue" aria-label="Queued messages">
      ${queued.map(
        ({ id, text, runId, delivery }) =>
          html`<li>
            ${icons.clock("small")}<span class="word">Queued</span><span class="text" title=${text}>${text}</span>
            <button
              type="button"
              class="icon-button"
              aria-label=${`Cancel queued message: ${text.slice(0, 80)}`}
              title="Cancel"
              ?disabled=${runId === undefined && delivery?.state === "sending"}
              @click=${() => conversation.cancel(id, runId)}
            >
              ${icons.close("small")}
            </button>
          </li>`,
      )}
    </ul>`;
  }

  #notice(): unknown {
    const notice = this.app.notice.value;
    return notice === undefined
      ? nothing
      : html`<div class="notice" role="alert">
          ${icons.alert("small")}<span>${notice}</span>
          <button
            type="button"
            class="icon-button"
            aria-label="Dismiss"
            title="Dismiss"
            @click=${() => (this.app.notice.value = undefined)}
          >
            ${icons.close("small")}
          </button>
        </div>`;
  }

  /** A conversation could not be begun: its first message is the person's again. */
  #recover(starting: boolean): void {
    const failed = this.#wasStarting && !starting && this.conversationId === "new" && this.text === "";
    this.#wasStarting = starting;
    if (failed) this.text = this.app.drafts.peek()?.read("new") ?? "";
  }

  #written(event: InputEvent): void {
    if (event.target instanceof HTMLTextAreaElement) this.text = event.target.value;
    this.#keepTimer ??= setTimeout(this.#keepNow, KEEP_MS);
  }

  #keep(conversationId: string): void {
    clearTimeout(this.#keepTimer);
    this.#keepTimer = undefined;
    // What is being sent has its own place until it is.
    if (conversationId === "new" && this.app.start.peek() !== undefined) return;
    this.app.drafts.peek()?.write(conversationId, this.text);
  }

  #key(event: KeyboardEvent): void {
    // 229: the key belongs to an input method that does not say that it composes.
    const composes = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || event.altKey || composes) return;
    event.preventDefault();
    this.#submit();
  }

  #submitted(event: SubmitEvent): void {
    event.preventDefault();
    this.#submit();
  }

  /** The box around the field belongs to it. */
  #pressed(event: PointerEvent): void {
    const { target } = event;
    if (!(target instanceof Element) || target.closest("button, textarea, [popover]") !== null) return;
    event.preventDefault();
    this.focus();
  }

  #choose(event: Event, how: "interrupt" | undefined): void {
    closeMenu(event.currentTarget);
    this.#submit(how);
    this.focus();
  }

  #submit(how?: "interrupt"): void {
    const text = this.text.trim();
    if (text === "" || !this.app.send(text, how)) return;
    this.text = "";
    this.#keep(this.conversationId);
    this.dispatchEvent(new Event("parley-sent", { bubbles: true }));
  }

  protected override updated(): void {
    const field = this.querySelector("textarea");
    if (field === null || CSS.supports("field-sizing", "content")) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }
}

define("parley-composer", ParleyComposer);
export type { ParleyComposer };
