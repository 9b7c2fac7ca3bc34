/**
 * Who else is in the open conversation. Other tabs of this browser are nobody else: they tell each other the names of
 * their connections. A tab that nobody looks at is in no conversation.
 */
import { effect, type ReadonlySignal, signal } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";
import type { PresenceMember } from "../../src/protocol/shapes.ts";
import type { AppStore } from "./app.ts";

/** Whoever has not written for this long is not writing. */
const TYPING_MS = 4_000;
/** Who comes is shown after this: by then another tab has said that it is one. */
const PATIENCE_MS = 400;

/** Names of connections that are kept; each new connection of a tab is another one. */
const MAX_TABS = 200;
const CHANNEL = "parley.tabs";

/** Connections of other tabs of this browser. */
class Tabs {
  readonly ids = signal<ReadonlySet<string>>(new Set());
  readonly #channel = new BroadcastChannel(CHANNEL);
  #own: string | undefined;

  constructor() {
    this.#channel.addEventListener("message", ({ data }: MessageEvent<unknown>) => this.#heard(data));
  }

  /** What this tab is called from now on; the others answer with what they are. */
  is(id: string | undefined): void {
    if (id === undefined || id === this.#own) return;
    this.#own = id;
    this.#channel.postMessage({ is: id, asks: true });
  }

  #heard(data: unknown): void {
    if (typeof data !== "object" || data === null || !("is" in data) || typeof data.is !== "string") return;
    if (!this.ids.peek().has(data.is)) this.ids.value = new Set([...[...this.ids.peek()].slice(-MAX_TABS), data.is]);
    if ("asks" in data && data.asks === true && this.#own !== undefined) this.#channel.postMessage({ is: this.#own });
  }
}

const NOBODY: readonly PresenceMember[] = [];

export interface PresenceWatch {
  readonly others: ReadonlySignal<readonly PresenceMember[]>;
}

/** For as long as the page lives. */
export function watchPresence(app: AppStore, client: Client): PresenceWatch {
  const tabs = new Tabs();
  const members = signal(NOBODY);
  const others = signal(NOBODY);
  const looking = signal(!document.hidden);
  const typing = signal(false);
  let typingEnds: ReturnType<typeof setTimeout> | undefined;

  document.addEventListener("visibilitychange", () => (looking.value = !document.hidden));
  const hello = (): void => tabs.is(client.hello?.connectionId);
  client.onState(hello);
  hello();

  const rests = (): void => {
    clearTimeout(typingEnds);
    typing.value = false;
  };
  addEventListener("input", ({ target }) => {
    if (!(target instanceof HTMLTextAreaElement) || target.closest("parley-composer, parley-editor") === null) return;
    clearTimeout(typingEnds);
    typing.value = target.value !== "";
    typingEnds = setTimeout(rests, TYPING_MS);
  });
  addEventListener("parley-sent", rests);

  effect(() => {
    const open = app.current.value;
    if (open === undefined || open.status.value !== "open" || !looking.value) return;
    const presence = client.presence(`conversation:${open.id}`);
    const show = (): void => {
      members.value = presence.others;
    };
    show();
    presence.subscribe(show);
    const stopTyping = open.readOnly ? undefined : effect(() => presence.set(typing.value ? "typing" : "active"));
    return () => {
      stopTyping?.();
      presence.close();
      members.value = NOBODY;
    };
  });

  effect(() => {
    const { value: known } = tabs.ids;
    const next = members.value.filter(({ memberId, state }) => state !== "away" && !known.has(memberId));
    if (next.length === 0) {
      others.value = next;
      return;
    }
    const timer = setTimeout(() => (others.value = next), PATIENCE_MS);
    return () => clearTimeout(timer);
  });
  return { others };
}
