/** Tells, by the browser, what happened while nobody looked: only where the person switched that on and allowed it. */
import { effect, type Signal, signal } from "@preact/signals-core";
import { text } from "../text/text.ts";
import type { KeyValues } from "./storage.ts";

export interface News {
  readonly kind: "finished" | "failed" | "decision";
  /** The same in every tab: what several of them tell is shown once. */
  readonly id: string;
  readonly conversationId: string;
  /** "" of a conversation that has none. */
  readonly title: string;
  /** What an answer says, or a decision is about. */
  readonly said: string;
}

export type Permission = NotificationPermission | "unsupported";

/** UTF-16 units of an answer that are shown. */
const SHOWN = 140;
/** Held, together with others, by each tab of this browser that somebody looks at. */
const LOOKED_AT = "parley-looked-at";

const browserPermission = (): Permission => ("Notification" in globalThis ? Notification.permission : "unsupported");

/** Only where the connection is secure; without it, every hidden tab tells, and the tag makes them one. */
const locks = (): LockManager | undefined => (globalThis.isSecureContext ? navigator.locks : undefined);

const kept = (storage: KeyValues, key: string): Signal<boolean> => {
  const setting = signal(storage.get(key) === "on");
  effect(() => {
    if (setting.value) storage.set(key, "on");
    else storage.remove(key);
  });
  return setting;
};

export class Notifier {
  readonly on: Signal<boolean>;
  /** Also what was said, not only where. */
  readonly details: Signal<boolean>;
  readonly permission: Signal<Permission> = signal(browserPermission());
  /** Conversations in which something happened that nobody has looked at. */
  readonly unseen: Signal<ReadonlySet<string>> = signal(new Set());
  /** Where a click on a notification leads. */
  go: (conversationId: string) => void = () => undefined;

  #release: (() => void) | undefined;

  constructor(storage: KeyValues) {
    this.on = kept(storage, "notify");
    this.details = kept(storage, "notify-details");
    document.addEventListener("visibilitychange", () => this.#looked());
    this.#looked();
  }

  /** Asks the person where they have not answered yet: only ever from their click. */
  async switchOn(): Promise<void> {
    if (this.permission.peek() === "default") {
      await Notification.requestPermission();
      this.permission.value = browserPermission();
    }
    this.on.value = this.permission.peek() === "granted";
  }

  /** The person may have changed their mind in the browser's own settings. */
  refresh(): void {
    this.permission.value = browserPermission();
  }

  #looked(): void {
    this.#release?.();
    this.#release = undefined;
    if (document.visibilityState !== "visible") return;
    if (this.unseen.peek().size > 0) this.unseen.value = new Set();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#release = resolve;
    locks()
      ?.request(LOOKED_AT, { mode: "shared" }, () => promise)
      .catch(() => undefined);
  }

  tell(news: News): void {
    if (document.visibilityState === "visible") return;
    this.unseen.value = new Set(this.unseen.peek()).add(news.conversationId);
    this.refresh();
    if (this.on.peek() && this.permission.peek() === "granted") this.#showUnlessLookedAt(news);
  }

  /** Whoever looks at another tab of ours sees it there. */
  #showUnlessLookedAt(news: News): void {
    const query = locks()?.query() ?? Promise.resolve({ held: [] });
    query.then(
      ({ held = [] }) => {
        if (held.every(({ name }) => name !== LOOKED_AT)) this.#show(news);
      },
      () => this.#show(news),
    );
  }

  #show({ kind, id, conversationId, title, said }: News): void {
    const words = text().notifications;
    const details = this.details.peek() ? said.replaceAll(/\s+/g, " ").trim() : "";
    const body = details === "" ? words[kind] : details.length > SHOWN ? `${details.slice(0, SHOWN)}…` : details;
    try {
      const shown = new Notification(title === "" ? words.untitled : title, { body, tag: `parley ${id}` });
      shown.addEventListener("click", () => {
        shown.close();
        globalThis.focus();
        this.go(conversationId);
      });
    } catch {
      // Browsers of phones have the interface, and refuse to be asked like this.
      this.permission.value = "unsupported";
    }
  }
}
