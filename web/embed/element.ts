import { effect, signal } from "@preact/signals-core";
import { html, nothing, type PropertyValues } from "lit";
import { keyed } from "lit/directives/keyed.js";
import "../components/chat/chat.ts";
import { adopt, ParleyElement } from "../components/element.ts";
import { icons } from "../components/icons.ts";
import { isSomethingOpen } from "../components/menu/menu.ts";
import { base } from "../styles/base.ts";
import { tokens } from "../styles/tokens.ts";
import { directionOf } from "../text/locale.ts";
import { locale, text } from "../text/text.ts";
import { ChatSession } from "./chat-session.ts";
import type { TokenProvider } from "./connections.ts";
import { chatEvent } from "./events.ts";
import { hostSheet } from "./host.style.ts";
import { speakAs } from "./language.ts";
import { type Absence, standIn } from "./stand-in.ts";

/** Nothing is said of a start that takes no longer. */
const PATIENCE_MS = 600;

interface FocusableChat extends HTMLElement {
  focusComposer(): void;
}

/**
 * A chat in a page of any site: `<parley-chat server agent conversation theme>`. It connects when it stands in the page
 * and has its `tokenProvider`, and lets go of everything when it is taken out. docs/embedding.md is its manual.
 */
export class ParleyChatElement extends ParleyElement {
  static override readonly properties = {
    server: {},
    agent: {},
    conversation: { reflect: true },
    theme: { reflect: true },
    tokenProvider: { attribute: false },
    late: { state: true },
    spoken: { state: true },
  };
  /** The address of the server; where `embed.js` came from, unless it is said. */
  declare server: string | null;
  /** Which model answers; without one the person chooses. */
  declare agent: string | null;
  /** The id of the conversation, or `new`. Without one: that which was shown here before, or a new one. */
  declare conversation: string | null;
  /** `light`, `dark`, or `system`; as the page itself, unless it is said. */
  declare theme: string | null;
  declare tokenProvider: TokenProvider | null | undefined;
  declare late: boolean;
  /** The language is there. */
  declare spoken: boolean;
  readonly #session = signal<ChatSession | undefined>(undefined);
  #stopTelling: (() => void) | undefined;
  #latest: ReturnType<typeof setTimeout> | undefined;
  /** What was said last in `parley-error`, so that each trouble is told once. */
  #told = "";

  constructor() {
    super();
    this.late = false;
    this.spoken = false;
    this.addEventListener("keydown", (event) => this.#pressed(event));
  }

  protected override createRenderRoot(): ShadowRoot {
    const root = this.attachShadow({ mode: "open" });
    adopt(root, [tokens, base, hostSheet]);
    return root;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.late = false;
    this.#latest = setTimeout(() => (this.late = true), PATIENCE_MS);
    speakAs(this).then(
      () => (this.spoken = true),
      () => (this.spoken = true),
    );
    // What a page says of it in the same turn belongs to its start.
    queueMicrotask(() => this.#begin());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#latest);
    this.#end();
  }

  /** Says something, as the person would. False when it can't be taken now. */
  send(words: string): boolean {
    const session = this.#session.peek();
    return session?.store.session.peek().kind === "signed-in" && session.store.send(words);
  }

  newConversation(): void {
    this.#session.peek()?.begin();
  }

  override focus(): void {
    this.#chat()?.focusComposer();
  }

  #chat(): FocusableChat | null {
    return this.renderRoot.querySelector<FocusableChat>("parley-conversation");
  }

  #address(): URL | undefined {
    const given = this.server ?? new URL(import.meta.url).origin;
    const address = URL.parse(given, location.href);
    if (address === null || !/^(?:https?|wss?):$/.test(address.protocol)) return undefined;
    return URL.parse(`${address.origin.replace(/^ws/, "http")}${address.pathname.replace(/\/*$/, "/")}`) ?? undefined;
  }

  #begin(): void {
    const server = this.#address();
    if (!this.isConnected || this.#session.peek() !== undefined) return;
    if (server === undefined || typeof this.tokenProvider !== "function") return;
    const session = new ChatSession({
      server,
      provider: this.tokenProvider,
      name: this.id || this.agent || "chat",
      agent: this.agent ?? undefined,
      conversation: this.conversation ?? undefined,
      went: (id) => this.#went(id),
    });
    this.#session.value = session;
    this.#stopTelling = effect(() => this.#tell(session));
  }

  #end(): void {
    this.#stopTelling?.();
    this.#session.peek()?.close();
    this.#session.value = undefined;
    this.#told = "";
  }

  #went(id: string | undefined): void {
    if ((this.conversation ?? undefined) === id) return;
    this.conversation = id ?? null;
    this.dispatchEvent(chatEvent("parley-conversation", { id: id ?? null }));
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const session = this.#session.peek();
    const restart = ["server", "agent", "tokenProvider"] as const;
    if (this.hasUpdated && restart.some((name) => changed.has(name))) {
      this.#end();
      this.#begin();
    } else if (changed.has("conversation") && session !== undefined) {
      const route = session.store.router.route.peek();
      const shown = route.kind === "conversation" ? route.id : "new";
      const asked = this.conversation ?? "new";
      if (asked !== shown) session.show(asked);
    }
  }

  /** What becomes of the connection, as events of the page; each once. */
  #tell(session: ChatSession): void {
    const { store, connection } = session;
    const { phase, closed } = store.connection.value;
    const trouble = connection.trouble.value;
    const user = store.user.value;
    if (phase === "ready" && user !== undefined) {
      this.#tellOnce("ready", () => chatEvent("parley-ready", { user }));
    } else if (trouble !== undefined) {
      const cause = trouble.kind === "provider" ? String(trouble.cause) : "";
      this.#tellOnce(`${trouble.kind} ${cause}`, () =>
        chatEvent("parley-error", { code: TROUBLE_CODES[trouble.kind], message: cause, retries: true }),
      );
    } else if (closed !== undefined && closed.reason !== "stopped") {
      const code = closed.error?.code ?? (closed.reason === "signed-out" ? "UNAUTHENTICATED" : "UNAVAILABLE");
      this.#tellOnce(`closed ${code}`, () =>
        chatEvent("parley-error", { code, message: closed.error?.message ?? "", retries: false }),
      );
    }
  }

  #tellOnce(what: string, event: () => CustomEvent): void {
    if (this.#told === what) return;
    this.#told = what;
    // Whoever listens may do anything, also change what is being read here.
    queueMicrotask(() => this.dispatchEvent(event()));
  }

  protected override render(): unknown {
    const session = this.#session.value;
    const direction = directionOf(locale());
    const absence = this.#absence(session);
    return html`<div
      class="embed"
      role="region"
      aria-labelledby=${absence === undefined ? "chat-title" : nothing}
      aria-label=${absence === undefined ? nothing : text().embed.conversation}
      lang=${locale()}
      dir=${direction}
    >
      ${
        absence !== undefined || session === undefined
          ? standIn(absence ?? STARTING, this.#address()?.href.replace(/\/$/, "") ?? "", () => session?.store.tryNow())
          : html`${this.#header(session)}${keyed(
              session,
              html`<parley-conversation part="chat" .app=${session.store}></parley-conversation>`,
            )}`
      }
    </div>`;
  }

  #absence(session: ChatSession | undefined): Absence | undefined {
    if (!this.spoken) return STARTING;
    if (this.#address() === undefined) return { kind: "address", address: this.server ?? "" };
    if (session === undefined) return { kind: "starting", late: this.late, waits: false, signedIn: false };
    const { store, connection } = session;
    const state = store.session.value.kind;
    const { phase, closed } = store.connection.value;
    if (state === "signed-out") return { kind: "closed", reason: "signed-out", message: undefined };
    if (state === "signed-in") return undefined;
    const trouble = connection.trouble.value;
    if (trouble !== undefined) return { kind: "trouble", trouble: trouble.kind };
    if (closed !== undefined) return { kind: "closed", reason: closed.reason, message: closed.error?.message };
    return { kind: "starting", late: this.late, waits: phase === "waiting", signedIn: true };
  }

  #header({ store }: ChatSession): unknown {
    const open = store.current.value;
    const title = open?.view.title.value ?? "";
    return html`<div class="top" part="header">
      <h2 class="title" id="chat-title" part="title" dir="auto">
        <slot name="title">${title === "" ? text().embed.conversation : title}</slot>
      </h2>
      ${
        open === undefined
          ? nothing
          : html`<button
              class="icon-button"
              part="new"
              aria-label=${text().common.newConversation}
              title=${text().common.newConversation}
              @click=${() => this.#new()}
            >
              ${icons.newChat()}
            </button>`
      }
    </div>`;
  }

  #new(): void {
    this.newConversation();
    this.focus();
  }

  /** Stops the answer, where nothing is open that Escape closes. */
  #pressed(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.isComposing || isSomethingOpen(this.renderRoot)) return;
    const [target] = event.composedPath();
    const inField = target instanceof HTMLInputElement;
    if (inField || (target instanceof Element && target.closest(".approval") !== null)) return;
    this.#session.peek()?.store.current.peek()?.stop();
  }
}

const STARTING: Absence = { kind: "starting", late: false, waits: false, signedIn: false };

const TROUBLE_CODES = {
  origin: "ORIGIN_REFUSED",
  policy: "POLICY_REFUSED",
  provider: "TOKEN_PROVIDER_FAILED",
} as const;
