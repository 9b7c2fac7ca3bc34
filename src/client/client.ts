import { ParleyError } from "../protocol/errors.ts";
import type { Hello } from "../protocol/frames.ts";
import { uuidv7 } from "../protocol/id.ts";
import type { MethodName, ParamsInput, Result } from "../protocol/methods.ts";
import { type Auth, Credentials, type Identity } from "./auth.ts";
import { ClientConnection } from "./connection.ts";
import { Emitter } from "./emitter.ts";
import { type Files, HttpFiles } from "./files.ts";
import type { ClosedReason, MachineState, Phase } from "./machine.ts";
import { MessageOutbox, type Outbox, type OutboxStorage, type SendOptions, type Sent } from "./outbox.ts";
import { defaultPlatform, type Platform } from "./platform.ts";
import { Presences, type TopicPresence } from "./presence.ts";
import { Requests } from "./requests.ts";
import { safetyOf } from "./safety.ts";
import {
  type SnapshotOf,
  type SubscribeOptions,
  type Subscription,
  Subscriptions,
  type TopicHandlers,
} from "./subscriptions.ts";

export interface ClientOptions extends Partial<Platform> {
  /** `ws://…/ws` or `wss://…/ws`; `http` and `https` mean the same. */
  readonly url: string;
  readonly auth: Auth;
  /** What this client calls itself in the list of sessions. */
  readonly device?: string;
  /** Where unsent messages outlive the page. Without one they live in memory. */
  readonly outbox?: OutboxStorage;
  /** Connects at once, unless false. */
  readonly autoConnect?: boolean;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** For everything together: waiting for a connection, tries, the answer. 30 s by default. */
  readonly timeoutMs?: number;
}

/** What the application may show of the connection. Replaced when it changes, never changed. */
export interface ConnectionState {
  readonly phase: Phase;
  /** Failed tries since all was well; 0 while `ready`. */
  readonly attempt: number;
  /** While `waiting`: when the next try begins. Milliseconds since 1970. */
  readonly retryAt: number | undefined;
  /** Since when this phase lasts. Milliseconds since 1970. */
  readonly since: number;
  /** Messages that have not reached the server. */
  readonly queued: number;
  /** While `closed`: why. `connectNow` tries again, unless it was `stopped`. */
  readonly closed: { readonly reason: ClosedReason; readonly error: ParleyError | undefined } | undefined;
}

export interface Client {
  readonly state: ConnectionState;
  /** Called after each change of `state`. The answer unsubscribes. */
  onState(listener: (state: ConnectionState) => void): () => void;
  /** Resolves when requests can be sent; rejects when that will not happen by itself, or in time (30 s). */
  whenReady(options?: CallOptions): Promise<void>;

  /** Who is signed in; kept while the connection is away. */
  readonly identity: Identity | undefined;
  /** What the server said of itself on the present connection. */
  readonly hello: Hello | undefined;

  /**
   * Rejects with a `ParleyError`. Waits for a connection. After a lost connection, what is harmless to repeat is
   * repeated within the time limit; anything else rejects with UNAVAILABLE.
   */
  call<M extends MethodName>(method: M, params: ParamsInput<M>, options?: CallOptions): Promise<Result<M>>;
  /** Follows a topic over all connections until it is closed. */
  subscribe<Topic extends string>(
    topic: Topic,
    handlers: TopicHandlers<SnapshotOf<Topic>>,
    options?: SubscribeOptions,
  ): Subscription;
  /** Who looks at a topic that this client is subscribed to, and that this client does. */
  presence(topic: string): TopicPresence;
  readonly files: Files;
  readonly outbox: Outbox;
  /** `outbox.send`: a message that will be sent, whatever happens to this connection. */
  send(conversationId: string, text: string, options?: SendOptions): Sent;

  /** Skips the wait of a back-off, and tries again after a final close. */
  connectNow(): void;
  /** For `visibilitychange`, `online` and `pageshow`: finds out within 3 s whether the connection still lives. */
  probe(): Promise<boolean>;
  /** For good. What waits is rejected with CANCELLED; unsent messages stay in their storage. */
  close(): void;
}

const CALL_MS = 30_000;

export function createClient(options: ClientOptions): Client {
  const { url, auth, device, outbox, autoConnect = true, ...injected } = options;
  const client = new ParleyClient(url, new Credentials(auth, device), { ...defaultPlatform, ...injected }, outbox);
  if (autoConnect) client.connectNow();
  return client;
}

class ParleyClient implements Client {
  readonly files: Files;
  readonly outbox: MessageOutbox;
  readonly #platform: Platform;
  readonly #connection: ClientConnection;
  readonly #requests: Requests;
  readonly #subscriptions: Subscriptions;
  readonly #presences: Presences;
  readonly #states: Emitter<ConnectionState>;
  #state: ConnectionState;
  #userId: string | undefined;

  constructor(url: string, credentials: Credentials, platform: Platform, storage: OutboxStorage | undefined) {
    this.#platform = platform;
    this.#states = new Emitter(platform.log);
    this.#requests = new Requests(platform, (text) => this.#connection.send(text));
    const start: Requests["start"] = (request, settle) => this.#requests.start(request, settle);
    this.#subscriptions = new Subscriptions(platform, start, (topic) => this.#presences.joined(topic));
    this.#presences = new Presences({ platform, start, ownId: () => this.#connection.hello?.connectionId });
    this.#connection = new ClientConnection(socketUrl(url, credentials), credentials, platform, {
      ready: (hello, identity) => {
        // Somebody else signed in meanwhile: what was asked for another user is not asked for this one.
        if (this.#userId !== undefined && this.#userId !== identity.user.id) {
          this.#requests.giveUp(new ParleyError("UNAUTHENTICATED"));
        }
        this.#userId = identity.user.id;
        this.#requests.online(hello.limits);
        this.#presences.online();
        this.#subscriptions.online();
        this.outbox.online();
      },
      lost: () => {
        this.outbox.offline();
        this.#requests.offline();
        this.#subscriptions.offline();
        this.#presences.offline();
      },
      answer: (frame) => this.#requests.answer(frame),
      notification: (frame) => {
        switch (frame.method) {
          case "event":
            return this.#subscriptions.event(frame.params.topic, frame.params.epoch, frame.params);
          case "events": {
            const { topic, epoch, events } = frame.params;
            for (const item of events) this.#subscriptions.event(topic, epoch, item);
            return;
          }
          case "ephemeral":
            return this.#presences.event(frame.params);
          case "heartbeat":
            return this.#subscriptions.heartbeat(frame.params);
          case "resync":
            return this.#subscriptions.resync(frame.params.topic);
        }
      },
      changed: (state) => this.#changed(state),
    });
    this.outbox = new MessageOutbox({
      platform,
      storage,
      call: (method, params) => this.call(method, params),
      userId: () => this.#connection.identity?.user.id,
    });
    this.files = new HttpFiles({
      url: url.replace(/^ws/, "http"),
      platform,
      signedIn: () => this.whenReady(),
      sessionToken: () => credentials.sessionToken,
    });
    this.#state = describe(this.#connection.state, this.outbox.unsent);
    this.outbox.subscribe(() => this.#publish());
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get identity(): Identity | undefined {
    return this.#connection.identity;
  }

  get hello(): Hello | undefined {
    return this.#connection.hello;
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    return this.#states.subscribe(listener);
  }

  async whenReady({ signal, timeoutMs = CALL_MS }: CallOptions = {}): Promise<void> {
    if (this.#state.phase === "ready") return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = ({ phase }: ConnectionState): void => {
      if (phase === "ready") resolve();
      else if (phase === "closed") reject(this.#refusal());
    };
    const abort = (): void => reject(new ParleyError("CANCELLED", { cause: signal?.reason }));
    const stopListening = this.onState(look);
    const stopTimer = this.#platform.timers.after(timeoutMs, () => reject(new ParleyError("TIMEOUT")));
    signal?.addEventListener("abort", abort);
    try {
      look(this.#state);
      if (signal?.aborted) abort();
      await promise;
    } finally {
      stopListening();
      stopTimer();
      signal?.removeEventListener("abort", abort);
    }
  }

  call<M extends MethodName>(method: M, params: ParamsInput<M>, options: CallOptions = {}): Promise<Result<M>> {
    const { signal, timeoutMs = CALL_MS } = options;
    const safety = safetyOf(method, params);
    const keyed = safety === "keyed" && !("idempotencyKey" in params && params.idempotencyKey !== undefined);
    const sent = keyed ? { ...params, idempotencyKey: uuidv7(this.#platform.now()) } : params;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new ParleyError("CANCELLED", { cause: signal.reason }));
      const abort = (): void => cancel(signal?.reason);
      const cancel = this.#requests.start({ method, params: sent, safety, timeoutMs }, (outcome) => {
        signal?.removeEventListener("abort", abort);
        if (!outcome.ok) return reject(outcome.error);
        resolve(outcome.result as Result<M>);
        if (method === "logout") this.#connection.signedOut();
      });
      signal?.addEventListener("abort", abort);
    });
  }

  subscribe<Topic extends string>(
    topic: Topic,
    handlers: TopicHandlers<SnapshotOf<Topic>>,
    options?: SubscribeOptions,
  ): Subscription {
    return this.#subscriptions.subscribe(topic, handlers as TopicHandlers, options);
  }

  presence(topic: string): TopicPresence {
    return this.#presences.open(topic);
  }

  send(conversationId: string, text: string, options?: SendOptions): Sent {
    return this.outbox.send(conversationId, text, options);
  }

  connectNow(): void {
    this.#connection.connect();
  }

  probe(): Promise<boolean> {
    return this.#connection.probe();
  }

  close(): void {
    this.outbox.close();
    this.#connection.close();
  }

  #changed(state: MachineState): void {
    if (state.phase === "closed") this.#requests.giveUp(this.#refusal());
    else this.#requests.resume();
    this.#publish();
  }

  /** Why nothing can be asked of a closed client. */
  #refusal(): ParleyError {
    const state = this.#connection.state;
    if (state.phase !== "closed") return new ParleyError("UNAVAILABLE");
    if (state.error !== undefined) return state.error;
    switch (state.reason) {
      case "stopped":
        return new ParleyError("CANCELLED", { message: "The client was closed." });
      case "signed-out":
        return new ParleyError("UNAUTHENTICATED");
      case "too-many-connections":
        return new ParleyError("TOO_MANY_CONNECTIONS");
      case "refused":
        return new ParleyError("UNAVAILABLE", { message: `The server ended the connection for good (${state.code}).` });
    }
  }

  #publish(): void {
    const state = describe(this.#connection.state, this.outbox.unsent);
    if (same(state, this.#state)) return;
    this.#state = state;
    this.#states.emit(state);
  }
}

/** As `ws:`, and with the word that the cookie of the upgrade is to be ignored, where it is. */
function socketUrl(url: string, { ignoresCookie }: Credentials): string {
  const socket = url.replace(/^http/, "ws");
  return ignoresCookie ? `${socket}${socket.includes("?") ? "&" : "?"}auth=token` : socket;
}

function describe(machine: MachineState, queued: number): ConnectionState {
  const { phase, since } = machine;
  return {
    phase,
    since,
    queued,
    attempt: phase === "idle" || phase === "ready" || phase === "closed" ? 0 : machine.attempt,
    retryAt: phase === "waiting" ? machine.until : undefined,
    closed: phase === "closed" ? { reason: machine.reason, error: machine.error } : undefined,
  };
}

const same = (a: ConnectionState, b: ConnectionState): boolean =>
  a.phase === b.phase &&
  a.since === b.since &&
  a.queued === b.queued &&
  a.attempt === b.attempt &&
  a.retryAt === b.retryAt;
