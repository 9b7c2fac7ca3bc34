import { batch, computed, effect, type ReadonlySignal, signal } from "@preact/signals-core";
import type { Client, ConnectionState } from "../../src/client/client.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type { ModelInfo, User } from "../../src/protocol/shapes.ts";
import { ConversationStore } from "./conversation.ts";
import { ConversationList } from "./conversations.ts";
import { createDrafts, type Drafts } from "./drafts.ts";
import type { Router } from "./route.ts";
import { type Credential, signIn, type SignInFailure, signOut } from "./sign-in.ts";
import type { KeyValues } from "./storage.ts";

/** Why the sign-in view is shown. */
export type SignedOutReason = "new" | "link-refused" | "ended" | "left";

export type SessionState =
  /** It is not known yet whether somebody is signed in. */
  | { readonly kind: "starting" }
  | { readonly kind: "signing-in"; readonly from: SignedOutReason }
  | { readonly kind: "signed-out"; readonly reason: SignedOutReason; readonly failure: SignInFailure | undefined }
  | { readonly kind: "signed-in" };

/** The first message of a conversation that does not exist yet. */
export interface Start {
  readonly text: string;
}

/** A conversation is asked for as long as the page lives; the draft is kept until it is there. */
const CREATE_MS = 24 * 3600 * 1000;

/** Everything the page shows, and what one can do in it. */
export class AppStore {
  readonly router: Router;
  readonly connection: ReadonlySignal<ConnectionState>;
  readonly session = signal<SessionState>({ kind: "starting" });
  readonly user = signal<User | undefined>(undefined);
  readonly drafts = signal<Drafts | undefined>(undefined);
  readonly list = signal<ConversationList | undefined>(undefined);
  readonly models = signal<readonly ModelInfo[] | undefined>(undefined);
  /** The conversation that the address names. */
  readonly current = signal<ConversationStore | undefined>(undefined);
  readonly start = signal<Start | undefined>(undefined);
  /** Something that a person asked for and that failed, in a sentence. */
  readonly notice = signal<string | undefined>(undefined);
  /** The model that answers here, if it is the built-in demo. */
  readonly demo = computed(() => {
    const models = this.models.value?.filter(({ available }) => available) ?? [];
    return models.length > 0 && models.every(({ demo }) => demo === true) ? models[0] : undefined;
  });
  readonly #client: Client;
  readonly #storage: KeyValues;
  /** Of a login link; shown if it turns out that nobody is signed in. */
  #linkFailure: SignInFailure | undefined;

  constructor(client: Client, router: Router, storage: KeyValues) {
    this.#client = client;
    this.#storage = storage;
    this.router = router;
    const connection = signal(client.state);
    this.connection = connection;
    client.onState((state) => {
      connection.value = state;
      this.#follow(state);
    });
    effect(() => {
      const route = router.route.value;
      const signedIn = this.user.value !== undefined;
      this.#open(signedIn && route.kind === "conversation" ? route.id : undefined);
    });
  }

  /** `code`: of the login link that this page was opened with. */
  async begin(code: string | undefined): Promise<void> {
    if (code === undefined) this.#client.connectNow();
    else await this.signIn({ code });
  }

  async signIn(credential: Credential): Promise<void> {
    const before = this.session.value;
    const isLink = "code" in credential;
    // What was wrong with a link is not what is wrong with a token.
    const from = before.kind === "signed-out" && before.reason !== "link-refused" ? before.reason : "new";
    this.session.value = { kind: "signing-in", from };
    const failure = await signIn(credential);
    if (failure === undefined || (isLink && failure.kind === "refused")) {
      // A link that was used does no harm to whoever is signed in already: the connection tells.
      this.#linkFailure = failure;
      this.#client.connectNow();
    } else {
      this.session.value = { kind: "signed-out", reason: isLink ? "link-refused" : from, failure };
    }
  }

  #follow(state: ConnectionState): void {
    if (state.phase === "ready") this.#signedIn();
    else if (state.closed?.reason === "signed-out") this.#signedOut(this.user.value === undefined ? "new" : "ended");
  }

  #signedIn(): void {
    const user = this.#client.identity?.user;
    if (user === undefined) return;
    this.#linkFailure = undefined;
    batch(() => {
      if (this.user.value?.id !== user.id) this.#become(user);
      if (this.session.value.kind !== "signed-in") this.session.value = { kind: "signed-in" };
    });
    if (this.models.value === undefined) this.#loadModels();
  }

  /** Another person's list, drafts and conversation are none of this one's. */
  #become(user: User): void {
    this.list.value?.close();
    this.list.value = new ConversationList(this.#client, user.id);
    this.drafts.value = createDrafts(this.#storage, user.id);
    this.start.value = undefined;
    this.user.value = user;
  }

  #signedOut(reason: SignedOutReason): void {
    const { value } = this.session;
    if (value.kind === "signed-out") return;
    const failure = this.#linkFailure;
    this.#linkFailure = undefined;
    this.session.value = { kind: "signed-out", reason: failure === undefined ? reason : "link-refused", failure };
  }

  async signOut(): Promise<void> {
    try {
      await signOut();
    } catch {
      this.notice.value = "You are still signed in: the server could not be reached. Try again.";
      return;
    }
    batch(() => {
      this.session.value = { kind: "signed-out", reason: "left", failure: undefined };
      this.list.value?.close();
      this.list.value = undefined;
      this.user.value = undefined;
      this.models.value = undefined;
      this.start.value = undefined;
      this.router.go({ kind: "home" }, "replace");
    });
  }

  #loadModels(): void {
    this.#client.call("model.list", {}).then(
      ({ models }) => (this.models.value = models),
      // Asked for again with the next connection.
      () => undefined,
    );
  }

  #open(id: string | undefined): void {
    const open = this.current.peek();
    if (open?.id === id) return;
    open?.close();
    this.current.value = id === undefined ? undefined : new ConversationStore(this.#client, id);
  }

  /** Sends to the open conversation, or begins one. False when it could not be taken: the text is still the person's. */
  send(text: string, whenBusy?: "interrupt"): boolean {
    this.notice.value = undefined;
    const open = this.current.value;
    if (open === undefined) {
      if (this.start.value !== undefined) return false;
      this.#begin(text).catch((error: unknown) => this.#failed(error));
      return true;
    }
    try {
      open.send(text, whenBusy);
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  async #begin(text: string): Promise<void> {
    const drafts = this.drafts.value;
    drafts?.write("new", text);
    this.start.value = { text };
    try {
      const { conversation } = await this.#client.call("conversation.create", {}, { timeoutMs: CREATE_MS });
      drafts?.write("new", "");
      // Whoever went elsewhere meanwhile stays there.
      if (this.router.route.value.kind === "home") this.#show(conversation.id, text);
      else this.#client.send(conversation.id, text);
    } finally {
      this.start.value = undefined;
    }
  }

  #show(id: string, text: string): void {
    const store = new ConversationStore(this.#client, id);
    store.send(text);
    batch(() => {
      this.start.value = undefined;
      this.current.value = store;
      this.router.go({ kind: "conversation", id });
    });
  }

  #failed(error: unknown): void {
    this.notice.value = error instanceof ParleyError ? error.message : "That did not work. Try again.";
  }

  rename(id: string, title: string): void {
    this.list.value?.rename(id, title).catch((error: unknown) => this.#failed(error));
  }

  loadMore(): void {
    this.list.value?.loadMore().catch((error: unknown) => this.#failed(error));
  }

  /** Ends the wait for the next try. */
  tryNow(): void {
    this.#client.connectNow();
  }

  /** Finds out whether the connection still lives, after something that may have ended it. */
  probe(): void {
    this.#client.probe().catch(() => undefined);
  }
}
