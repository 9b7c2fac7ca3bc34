import { html, nothing } from "lit";
import type { Client } from "../../../src/client/client.ts";
import type { Session } from "../../../src/protocol/shapes.ts";
import { deviceName } from "../../store/device-name.ts";
import { dateTime, relativeTime } from "../../text/locale.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { Listing } from "./listing.ts";

/** Where the person is signed in, and what ends it there. */
class ParleyDevices extends ParleyElement {
  static override readonly properties = { client: { attribute: false }, busy: { state: true }, said: { state: true } };
  declare client: Client;
  /** Sessions that are being ended. */
  declare busy: ReadonlySet<string>;
  declare said: string;
  readonly #sessions = new Listing<Session>(async () => {
    const { sessions } = await this.client.call("session.list", {});
    const sorted = sessions.toSorted((a, b) => (a.current ? -1 : b.current ? 1 : a.lastSeenAt < b.lastSeenAt ? 1 : -1));
    return { items: sorted, nextCursor: null };
  });

  constructor() {
    super();
    this.busy = new Set();
    this.said = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#sessions.load();
  }

  protected override render(): unknown {
    const words = text().settings;
    const sessions = this.#sessions.items.value;
    const others = sessions?.filter(({ current }) => !current) ?? [];
    return html`<p class="lead">${words.devicesHint}</p>
      ${this.#sessions.trouble()}
      ${
        sessions === undefined
          ? nothing
          : html`<ul class="rows">
              ${sessions.map((session) => this.#row(session))}
            </ul>`
      }
      ${
        others.length > 1
          ? html`<button
              type="button"
              class="button"
              ?disabled=${this.busy.size > 0}
              @click=${() => this.#revoke(others)}
            >
              ${words.revokeOthers}
            </button>`
          : nothing
      }
      <p class="hidden-visually" role="status">${this.said}</p>`;
  }

  #row(session: Session): unknown {
    const words = text().settings;
    const name = nameOf(session);
    return html`<li>
      ${/iPhone|Android/.test(session.device) ? icons.phone() : icons.monitor()}
      <div class="about">
        <strong title=${session.device}><bdi>${name}</bdi></strong>
        <span class="hint"
          >${session.current ? html`<span class="tag">${words.thisDevice}</span> ` : nothing}${lastSeen(session)} ·
          ${words.signedInOn(dateTime(new Date(session.createdAt), { dateStyle: "medium" }))}</span
        >
      </div>
      ${
        session.current
          ? nothing
          : html`<button
              type="button"
              class="button"
              aria-label=${words.revokeOf(name)}
              ?disabled=${this.busy.has(session.id)}
              @click=${() => this.#revoke([session])}
            >
              ${words.revoke}
            </button>`
      }
    </li>`;
  }

  #revoke(sessions: readonly Session[]): void {
    this.busy = new Set(sessions.map(({ id }) => id));
    this.#end(sessions).then(
      () => (this.said = text().settings.revoked),
      (error: unknown) => this.#sessions.fail(error),
    );
  }

  async #end(sessions: readonly Session[]): Promise<void> {
    try {
      for (const { id } of sessions) await this.client.call("session.revoke", { sessionId: id });
    } finally {
      this.busy = new Set();
      this.#sessions.load();
      this.closest<HTMLElement>("[role=tabpanel]")?.focus();
    }
  }
}

function nameOf({ device }: Session): string {
  const words = text().settings;
  const { browser, system } = deviceName(device);
  if (browser !== undefined && system !== undefined) return words.browserOn(browser, system);
  return browser ?? system ?? (device === "" ? words.unknownDevice : device);
}

const MINUTE_MS = 60_000;

function lastSeen({ lastSeenAt, current }: Session): string {
  const words = text().settings;
  const minutes = Math.round((Date.now() - Date.parse(lastSeenAt)) / MINUTE_MS);
  if (current || minutes < 1) return words.lastSeen(words.justNow);
  if (minutes < 60) return words.lastSeen(relativeTime(-minutes, "minute"));
  if (minutes < 24 * 60) return words.lastSeen(relativeTime(-Math.round(minutes / 60), "hour"));
  return words.lastSeen(relativeTime(-Math.round(minutes / 60 / 24), "day"));
}

define("parley-devices", ParleyDevices);
