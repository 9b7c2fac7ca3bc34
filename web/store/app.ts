import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import type { Client, ConnectionState } from "../../src/client/client.ts";
import type { SendOptions } from "../../src/client/outbox.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type { FilePart, ModelInfo, User } from "../../src/protocol/shapes.ts";
import { errorText } from "../text/error-text.ts";
import { text } from "../text/text.ts";
import { Attachments } from "./attachments.ts";
import { type Clock, createClock } from "./clock.ts";
import { ConversationStore } from "./conversation.ts";
import { ConversationList } from "./conversations.ts";
import { createDrafts, type Drafts, NO_DRAFT } from "./drafts.ts";
import { type ModelChoice, modelChoice } from "./model-choice.ts";
import { Organiser } from "./organise.ts";
import type { Router } from "./route.ts";
import { ConversationSearch } from "./search.ts";
import { createSendMode, type SendMode } from "./send-mode.ts";
import { SharedConversation } from "./shared.ts";
import type { Shell } from "./shell.ts";
import { signIn, type SignInFailure, signOut } from "./sign-in.ts";
import type { KeyValues } from "./storage.ts";
import { createThoughtTimes, type ThoughtTimes } from "./thought-times.ts";
import { Toasts } from "./toasts.ts";

/** Why the sign-in view is shown. */
export type SignedOutReason = "new" | "link-refused" | "ended" | "left";

export type SessionState =
  /** It is not known yet whether somebody is signed in. */
  | { readonly kind: "starting" }
  | { readonly kind: "signing-in"; readonly from: SignedOutReason }
  | { readonly kind: "signed-out"; readonly reason: SignedOutReason; readonly failure: SignInFailure | undefined }
  | { readonly kind: "signed-in" };

export type FileAccess =
  | { readonly kind: "own" }
  | { readonly kind: "link"; readonly token: string }
  | { readonly kind: "none" };

/** The first message of a conversation that does not exist yet. */
export interface Start {
  readonly text: string;
  readonly files: readonly FilePart[];
}

/** A conversation is asked for as long as the page lives; the draft is kept until it is there. */
const CREATE_MS = 24 * 3600 * 1000;

/** Everything the page shows, and what one can do in it. */
export class AppStore {
  /** In an element on another site's page: no cookie speaks for the person, and there is no list to choose from. */
  readonly embedded: boolean;
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
  /** What the link in the address opens. */
  readonly shared = signal<SharedConversation | undefined>(undefined);
  readonly toasts = new Toasts();
  readonly organise: Organiser;
  readonly search: ConversationSearch;
  /** The model that was chosen for the next new conversation. */
  readonly newModel = signal<string | undefined>(undefined);
  readonly attachments: Attachments;
  /** What Enter does while an answer is being written. */
  readonly sendMode: Signal<SendMode>;
  readonly clock: Clock = createClock();
  readonly thoughts: ThoughtTimes;
  /** What is around the conversation; an element on another site's page has none. */
  readonly shell = signal<Shell | undefined>(undefined);
  /** Something that a person asked for and that failed, in a sentence. */
  readonly notice = signal<string | undefined>(undefined);
  /** The model that answers here, if it is the built-in demo. */
  readonly demo = computed(() => {
    const models = this.models.value?.filter(({ available }) => available) ?? [];
    return models.length > 0 && models.every(({ demo }) => demo === true) ? models[0] : undefined;
  });
  /** The model that answers next, here. */
  readonly model: ReadonlySignal<ModelChoice | undefined> = computed(() => {
    const open = this.current.value;
    const wishes = open === undefined ? [this.newModel.value] : [open.chosenModel.value, open.view.model.value];
    return modelChoice(this.models.value, wishes);
  });
  readonly #client: Client;
  readonly #storage: KeyValues;
  /** Of a login link; shown if it turns out that nobody is signed in. */
  #linkFailure: SignInFailure | undefined;
  readonly #stop: readonly (() => void)[];

  constructor(client: Client, router: Router, storage: KeyValues, { embedded = false } = {}) {
    this.embedded = embedded;
    this.#client = client;
    this.#storage = storage;
    this.router = router;
    this.organise = new Organiser({
      client,
      router,
      list: () => this.list.peek(),
      toasts: this.toasts,
      failed: (error) => this.#failed(error),
    });
    this.search = new ConversationSearch(client);
    this.sendMode = createSendMode(storage);
    this.thoughts = createThoughtTimes(storage);
    this.attachments = new Attachments({ files: client.files, drafts: () => this.drafts.peek(), urls: URL });
    const connection = signal(client.state);
    this.connection = connection;
    const stopListening = client.onState((state) => {
      connection.value = state;
      this.#follow(state);
    });
    const stopFollowing = effect(() => {
      const route = router.route.value;
      const signedIn = this.user.value !== undefined;
      const token = signedIn && route.kind === "shared" ? route.token : undefined;
      if (token !== undefined && this.shared.peek()?.token === token) return;
      this.#openShared(undefined);
      this.#open(signedIn && route.kind === "conversation" ? route.id : undefined);
      this.#openShared(token);
    });
    this.#stop = [stopListening, stopFollowing];
    // The connection may be another element's, and have said already who is signed in.
    if (client.state.phase === "ready") this.#signedIn();
  }

  /** How the files of what is open are had: as one's own, by the token of a link, or not at all where no cookie opens them. */
  get fileAccess(): FileAccess {
    const shared = this.shared.value;
    if (this.embedded) return { kind: "none" };
    return shared === undefined ? { kind: "own" } : { kind: "link", token: shared.token };
  }

  /** Lets go of everything but the client. */
  close(): void {
    for (const stop of this.#stop) stop();
    this.list.peek()?.close();
    this.current.peek()?.close();
    this.attachments.clear();
  }

  /** The client connects already. `login`: what comes of the link that the page was opened with. */
  async begin(login: Promise<SignInFailure | undefined> | undefined): Promise<void> {
    if (this.session.peek().kind === "signed-in") return;
    if (login === undefined) this.#follow(this.#client.state);
    else await this.#sign(login, true);
  }

  signIn(token: string): Promise<void> {
    return this.#sign(signIn({ token }), false);
  }

  async #sign(trying: Promise<SignInFailure | undefined>, isLink: boolean): Promise<void> {
    const before = this.session.value;
    // What was wrong with a link is not what is wrong with a token.
    const from = before.kind === "signed-out" && before.reason !== "link-refused" ? before.reason : "new";
    this.session.value = { kind: "signing-in", from };
    const failure = await trying;
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
    if (this.#client.hello !== undefined) this.clock.set(this.#client.hello.time);
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
    this.list.value = this.embedded ? undefined : this.#listOf(user);
    this.search.clear();
    this.attachments.clear();
    this.drafts.value = createDrafts(this.#storage, user.id);
    this.newModel.value = this.drafts.value.read("new").model;
    this.start.value = undefined;
    this.user.value = user;
  }

  #listOf(user: User): ConversationList {
    const list = new ConversationList(this.#client, user.id);
    list.onDeleted = (id) => this.#deletedElsewhere(id);
    return list;
  }

  /** Whoever has it open sees that it is gone, and may take that back. */
  #deletedElsewhere(id: string): void {
    const route = this.router.route.peek();
    if (route.kind !== "conversation" || route.id !== id) return;
    const conversation = this.current.peek()?.conversation;
    this.router.go({ kind: "home" }, "replace");
    if (conversation !== undefined) this.organise.deletedElsewhere(conversation);
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
      this.notice.value = text().errors.stillSignedIn;
      return;
    }
    batch(() => {
      this.session.value = { kind: "signed-out", reason: "left", failure: undefined };
      this.list.value?.close();
      this.list.value = undefined;
      this.user.value = undefined;
      this.models.value = undefined;
      this.start.value = undefined;
      this.toasts.hide();
      this.search.clear();
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
    this.current.value = id === undefined ? undefined : this.#conversation(id);
  }

  #openShared(token: string | undefined): void {
    this.shared.peek()?.close();
    this.shared.value = token === undefined ? undefined : new SharedConversation(this.#client, token, this.current);
  }

  #conversation(id: string): ConversationStore {
    const store = new ConversationStore(this.#client, id, (error) => this.#failed(error));
    store.chosenModel.value = this.drafts.peek()?.read(id).model;
    return store;
  }

  /** From now on, in the open conversation or in the next new one. */
  chooseModel(id: string): void {
    const open = this.current.peek();
    if (open === undefined) this.newModel.value = id;
    else open.chosenModel.value = id;
    this.drafts.peek()?.write(open?.id ?? "new", { model: id });
  }

  #modelOption(): { readonly model?: string } {
    const id = this.model.peek()?.id;
    return id === undefined ? {} : { model: id };
  }

  /**
   * Sends to the open conversation, or begins one, with the files of the draft. False when it could not be taken: text
   * and files are still the person's.
   */
  send(message: string): boolean {
    this.notice.value = undefined;
    const open = this.current.peek();
    const place = open?.id ?? "new";
    if (this.attachments.uploading(place)) {
      this.notice.value = text().errors.filesUploading;
      return false;
    }
    if (open === undefined) {
      if (this.start.peek() !== undefined) return false;
      this.#begin(message, this.attachments.take("new")).catch((error: unknown) => this.#failed(error));
      return true;
    }
    const whenBusy = open.busy.peek() && this.sendMode.peek() !== "queue" ? { whenBusy: this.sendMode.peek() } : {};
    const files = this.attachments.ready(place);
    const sent = this.#attempt(() => open.send(message, { files, ...this.#modelOption(), ...whenBusy }));
    if (sent) {
      this.attachments.take(place);
      this.drafts.peek()?.write(place, { model: undefined });
    }
    return sent;
  }

  /** Says something else in place of a message of the open conversation. False as `send`. */
  edit(messageId: string, text: string, files: readonly FilePart[]): boolean {
    return this.#attempt(() => this.current.peek()?.edit(messageId, text, { files, ...this.#modelOption() }));
  }

  regenerate(messageId: string): void {
    this.#attempt(() => this.current.peek()?.regenerate(messageId, this.#modelOption()));
  }

  retryRun(runId: string): void {
    this.#attempt(() => this.current.peek()?.retryRun(runId));
  }

  #attempt(work: () => void): boolean {
    this.notice.value = undefined;
    try {
      work();
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  async #begin(text: string, files: readonly FilePart[]): Promise<void> {
    const drafts = this.drafts.value;
    const options = { files, ...this.#modelOption() };
    drafts?.write("new", { text, files });
    this.start.value = { text, files };
    try {
      const { conversation } = await this.#client.call("conversation.create", {}, { timeoutMs: CREATE_MS });
      drafts?.write("new", NO_DRAFT);
      this.newModel.value = undefined;
      // Whoever went elsewhere meanwhile stays there.
      if (this.router.route.value.kind === "home") this.#show(conversation.id, text, options);
      else this.#client.send(conversation.id, text, options);
    } catch (error) {
      this.attachments.restore("new", files);
      throw error;
    } finally {
      this.start.value = undefined;
    }
  }

  #show(id: string, text: string, options: SendOptions): void {
    const store = this.#conversation(id);
    store.send(text, options);
    batch(() => {
      this.start.value = undefined;
      this.current.value = store;
      this.router.go({ kind: "conversation", id });
    });
  }

  #failed(error: unknown): void {
    this.notice.value = error instanceof ParleyError ? errorText(error) : text().errors.somethingFailed;
  }

  loadMore(): void {
    this.#wish(this.list.value?.loadMore());
  }

  loadArchive(): void {
    this.#wish(this.list.value?.loadArchive());
  }

  loadFolder(id: string): void {
    this.#wish(this.list.value?.loadFolder(id));
  }

  toggleFolder(id: string): void {
    this.#wish(this.list.value?.toggleFolder(id));
  }

  #wish(work: Promise<void> | undefined): void {
    work?.catch((error: unknown) => this.#failed(error));
  }

  /** Work with a part of the page that has to be loaded first. */
  load(work: () => Promise<void>): void {
    work().catch(() => (this.notice.value = text().errors.pageIncomplete));
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
