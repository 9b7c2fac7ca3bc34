/** What an element has while it stands in a page and knows its server and its login: a connection and a store. */
import { effect } from "@preact/signals-core";
import { AppStore } from "../store/app.ts";
import type { Route } from "../store/route.ts";
import { browserStorage } from "../store/storage.ts";
import { connect, type Connection, keptFor, type TokenProvider } from "./connections.ts";
import { elementRouter } from "./route.ts";

export interface ChatSessionOptions {
  readonly server: URL;
  readonly provider: TokenProvider;
  /** Sets apart what the browser keeps for this element: its drafts, and which conversation it showed. */
  readonly name: string;
  /** The model that answers; undefined: the person may choose. */
  readonly agent: string | undefined;
  /** `new`: begin one. undefined: the one that it showed before, or a new one. */
  readonly conversation: string | undefined;
  /** Another one is shown, for a reason that is not the page's. */
  readonly went: (id: string | undefined) => void;
}

const HOME: Route = { kind: "home" };
const routeTo = (id: string | undefined): Route => (id === undefined ? HOME : { kind: "conversation", id });

export class ChatSession {
  readonly store: AppStore;
  readonly connection: Connection;
  readonly #router: ReturnType<typeof elementRouter>;
  readonly #release: () => void;
  readonly #stop: (() => void)[] = [];

  constructor(options: ChatSessionOptions) {
    const { server, provider, name, agent, conversation, went } = options;
    const storage = browserStorage(`${keptFor(server)}${name}.`);
    const keep = (id: string | undefined): void => {
      const userId = this.store.user.peek()?.id;
      if (userId === undefined) return;
      if (id === undefined) storage.remove(`shown.${userId}`);
      else storage.set(`shown.${userId}`, id);
    };
    this.#router = elementRouter((to) => {
      const id = to.kind === "conversation" ? to.id : undefined;
      keep(id);
      went(id);
    });
    const { release, ...connection } = connect(server, provider);
    this.connection = connection;
    this.#release = release;
    this.store = new AppStore(connection.client, this.#router, storage, { embedded: true });
    if (agent !== undefined) this.#stop.push(effect(() => this.#answeredBy(agent)));
    if (conversation !== undefined) {
      this.show(conversation);
      return;
    }
    let remembered: string | undefined;
    this.#stop.push(
      effect(() => {
        const user = this.store.user.value;
        if (user === undefined) return;
        remembered = storage.get(`shown.${user.id}`);
        if (remembered !== undefined) this.#router.go(routeTo(remembered));
      }),
      effect(() => {
        const open = this.store.current.value;
        // It was deleted meanwhile: that is no news here.
        if (open?.id === remembered && open?.error.value?.code === "NOT_FOUND") this.#router.go(HOME);
      }),
    );
  }

  /** Nobody else, in this conversation and in the next. */
  #answeredBy(agent: string): void {
    const { user, current, newModel } = this.store;
    if (user.value === undefined) return;
    if (current.value === undefined) newModel.value = agent;
    else current.value.chosenModel.value = agent;
  }

  show(conversation: string): void {
    this.#router.show(routeTo(conversation === "new" ? undefined : conversation));
  }

  begin(): void {
    this.store.router.go(HOME);
  }

  close(): void {
    for (const stop of this.#stop) stop();
    this.store.close();
    this.#release();
  }
}
