import { html, nothing } from "lit";
import type { ConnectionState } from "../../../src/client/client.ts";
import type { AppStore } from "../../store/app.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";

/** A connection that comes back within this time is nobody's concern. */
const PATIENCE_MS = 1_000;

export interface StripContent {
  readonly text: string;
  /** What the button says, where there is something to try. */
  readonly action: string | undefined;
  /** It will not come back by itself. */
  readonly final: boolean;
}

/** What there is to say of a connection; undefined when all is well. */
export function stripContent(state: ConnectionState, online: boolean): StripContent | undefined {
  const queued = state.queued === 0 ? "" : ` ${state.queued} queued`;
  switch (state.phase) {
    case "ready":
      return undefined;
    case "closed":
      return state.closed === undefined || state.closed.reason === "signed-out" || state.closed.reason === "stopped"
        ? undefined
        : {
            text: `${closedText(state.closed)}${queued === "" ? "" : ` ·${queued}`}`,
            action: "Try again",
            final: true,
          };
    case "waiting":
      return online
        ? { text: `Reconnecting…${queued}`, action: "Try now", final: false }
        : { text: `You are offline.${queued}`, action: "Try now", final: false };
    case "idle":
    case "connecting":
    case "greeting":
    case "authenticating":
      return { text: `Reconnecting…${queued}`, action: undefined, final: false };
  }
}

function closedText({ reason, error }: NonNullable<ConnectionState["closed"]>): string {
  return reason === "too-many-connections"
    ? "The server has as many connections as it allows. Close another tab, then try again."
    : (error?.message ?? "The server ended the connection. Reload the page if that happens again.");
}

/** Silent when all is well. */
class ParleyConnectionStrip extends ParleyElement {
  static override readonly properties = { app: { attribute: false }, late: { state: true } };
  declare app: AppStore;
  declare late: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #look = (): void => this.requestUpdate();

  constructor() {
    super();
    this.late = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("online", this.#look);
    addEventListener("offline", this.#look);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("online", this.#look);
    removeEventListener("offline", this.#look);
    this.#calm();
  }

  #calm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  protected override willUpdate(): void {
    if (this.app.connection.value.phase === "ready") {
      this.#calm();
      this.late = false;
    } else if (!this.late) {
      this.#timer ??= setTimeout(() => (this.late = true), PATIENCE_MS);
    }
  }

  protected override render(): unknown {
    const content = stripContent(this.app.connection.value, navigator.onLine);
    const shown = content !== undefined && (this.late || content.final) ? content : undefined;
    return html`<div class="strip-place" role="status">
      ${
        shown === undefined
          ? nothing
          : html`<div class="strip ${shown.final ? "final" : ""}">
              ${shown.final ? icons.alert("small") : icons.plug("small")}<span>${shown.text}</span>
              ${
                shown.action === undefined
                  ? nothing
                  : html`<button class="quiet-link" @click=${() => this.app.tryNow()}>${shown.action}</button>`
              }
            </div>`
      }
    </div>`;
  }
}

define("parley-connection-strip", ParleyConnectionStrip);
