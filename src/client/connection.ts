/**
 * The shell around `machine.ts`: one socket at a time, its greeting and login, and the watch over its silence.
 * Everything a frame causes happens before the next frame is read: some sockets deliver several in one turn, so a
 * promise's reaction would come too late.
 */
import { decodeServerFrame } from "../protocol/codec.ts";
import { PROTOCOL } from "../protocol/constants.ts";
import { CLOSE, type ErrorCode, ParleyError } from "../protocol/errors.ts";
import type { ErrorFrame, Hello, Notification, ResultFrame } from "../protocol/frames.ts";
import type { Result } from "../protocol/methods.ts";
import { type Credentials, type Identity, identityOf } from "./auth.ts";
import { errorOf } from "./errors.ts";
import { type MachineInput, type MachineState, transition } from "./machine.ts";
import type { Platform, Socket } from "./platform.ts";

export interface ConnectionEvents {
  /** Requests may be sent from now on. */
  ready(hello: Hello, identity: Identity): void;
  /** It was ready, and is not any more. */
  lost(): void;
  /** While ready. */
  answer(frame: ResultFrame | ErrorFrame): void;
  notification(frame: Exclude<Notification, { readonly method: "hello" | "draining" }>): void;
  changed(state: MachineState): void;
}

/** How long a probe waits for any sign of life. */
export const PROBE_MS = 3_000;

const AUTH_ID = "auth";
const OPEN = 1;
const CREDENTIAL_ERRORS: readonly ErrorCode[] = ["AUTH_FAILED", "SESSION_ENDED", "UNAUTHENTICATED"];

export class ClientConnection {
  readonly #url: string;
  readonly #credentials: Credentials;
  readonly #platform: Platform;
  readonly #events: ConnectionEvents;
  #state: MachineState;
  #socket: Socket | undefined;
  /** Of the socket that is open: what it was greeted with. */
  #hello: Hello | undefined;
  #identity: Identity | undefined;
  /** Counts tries, so that what an earlier one still answers is known as such. */
  #try = 0;
  #cancelDue: () => void = () => {};
  #cancelSilence: () => void = () => {};
  #lastFrameAt = 0;
  #framesReceived = 0;
  #probe: Promise<boolean> | undefined;
  #probes = 0;

  constructor(url: string, credentials: Credentials, platform: Platform, events: ConnectionEvents) {
    this.#url = url;
    this.#credentials = credentials;
    this.#platform = platform;
    this.#events = events;
    this.#state = { phase: "idle", since: platform.now() };
  }

  get state(): MachineState {
    return this.#state;
  }

  get hello(): Hello | undefined {
    return this.#hello;
  }

  get identity(): Identity | undefined {
    return this.#identity;
  }

  connect(): void {
    this.#input({ type: "connect" });
  }

  close(): void {
    this.#input({ type: "close" });
  }

  /** False when it could not be sent: there is no open socket. */
  send(text: string): boolean {
    const socket = this.#socket;
    if (socket === undefined || socket.readyState !== OPEN) return false;
    try {
      socket.send(text);
      return true;
    } catch (error) {
      this.#platform.log("warn", "the socket refused a frame", error);
      return false;
    }
  }

  /** The session is over by the user's own wish: the server keeps the connection, which is of no use any more. */
  signedOut(): void {
    this.#credentials.forgetSession();
    this.#input({ type: "refused", reason: "signed-out", error: undefined, canLogin: false });
  }

  /**
   * Is the server still there? Skips the wait of a back-off; a connection that stays silent for 3 s is given up and
   * replaced. Resolves to whether the present connection is alive.
   */
  probe(): Promise<boolean> {
    if (this.#state.phase !== "ready") {
      if (this.#state.phase === "waiting") this.connect();
      return Promise.resolve(false);
    }
    this.#probe ??= new Promise((resolve) => {
      const [attempt, frames] = [this.#try, this.#framesReceived];
      this.send(`{"jsonrpc":"2.0","id":"probe-${++this.#probes}","method":"ping","params":{}}`);
      this.#platform.timers.after(PROBE_MS, () => {
        this.#probe = undefined;
        const alive = this.#try === attempt && this.#state.phase === "ready" && this.#framesReceived > frames;
        resolve(alive);
        if (alive || this.#try !== attempt) return;
        this.#lose(CLOSE.HEARTBEAT_LOST);
        this.connect();
      });
    });
    return this.#probe;
  }

  #input(input: MachineInput): void {
    const { now, random } = this.#platform;
    const from = this.#state;
    const to = transition(from, input, now(), random);
    if (to === from) return;
    this.#state = to;
    this.#arm(to);
    if (from.phase === "ready" && to.phase !== "ready") this.#events.lost();
    // What was called may have moved on already.
    if (this.#state !== to) return;
    switch (to.phase) {
      case "connecting":
        this.#abandon();
        this.#events.changed(to);
        if (this.#state === to) this.#open();
        return;
      case "waiting":
      case "closed":
        this.#abandon();
        if (to.phase === "closed" && to.reason === "signed-out") this.#identity = undefined;
        break;
      case "ready":
        if (from.phase !== "ready") this.#becameReady();
        break;
      case "idle":
      case "greeting":
      case "authenticating":
        break;
    }
    if (this.#state === to) this.#events.changed(to);
  }

  #arm(state: MachineState): void {
    this.#cancelDue();
    this.#cancelDue = () => {};
    if (!("until" in state) || state.until === undefined) return;
    this.#cancelDue = this.#platform.timers.after(state.until - this.#platform.now(), () => {
      // A timer may come a little early.
      if (this.#state !== state) return;
      this.#input({ type: "due" });
      if (this.#state === state) this.#arm(state);
    });
  }

  #becameReady(): void {
    if (this.#hello === undefined || this.#identity === undefined) throw new Error("ready without a greeting");
    this.#watchSilence(this.#hello.silenceMs);
    this.#events.ready(this.#hello, this.#identity);
  }

  #open(): void {
    const attempt = ++this.#try;
    const prepared = this.#credentials.prepare();
    if (prepared === undefined) return this.#openSocket(attempt);
    prepared.then(
      () => this.#openSocket(attempt),
      (error: unknown) => {
        if (attempt !== this.#try) return;
        this.#platform.log("warn", "the token provider failed", error);
        const final = error instanceof ParleyError && !error.retryable;
        if (final) this.#input({ type: "refused", reason: "signed-out", error, canLogin: false });
        else this.#lose(1006);
      },
    );
  }

  #openSocket(attempt: number): void {
    if (attempt !== this.#try || this.#state.phase !== "connecting") return;
    let socket: Socket;
    try {
      socket = this.#platform.connect(this.#url, PROTOCOL);
    } catch (error) {
      this.#platform.log("error", "no socket could be made", error);
      const cause = new ParleyError("INVALID_REQUEST", {
        message: `No WebSocket can be opened to ${this.#url}.`,
        cause: error,
      });
      return this.#input({ type: "refused", reason: "refused", error: cause, canLogin: false });
    }
    this.#socket = socket;
    socket.onopen = () => this.#input({ type: "opened" });
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket && typeof data === "string") this.#receive(data);
    };
    socket.onclose = ({ code, reason }) => {
      if (this.#socket !== socket) return;
      this.#platform.log("debug", "the socket closed", { code, reason });
      this.#lose(code);
    };
    // `close` follows and says more, except that Node 22 sends none for a socket that never opened.
    socket.onerror = () => {
      if (this.#socket === socket && this.#state.phase === "connecting") this.#lose(1006);
    };
  }

  #lose(code: number, retryAfterMs?: number): void {
    const canLogin = code === CLOSE.AUTHENTICATION && this.#credentials.forgetSession();
    this.#input({ type: "lost", code, canLogin, retryAfterMs });
  }

  /** Lets go of the socket at once: the closing handshake of a dead peer can take minutes. */
  #abandon(): void {
    this.#try++;
    this.#cancelSilence();
    this.#cancelSilence = () => {};
    this.#hello = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    // A browser reports the error of a socket that is closed while it connects; it is heard and dropped.
    socket.onerror = () => {};
    try {
      socket.close(1000);
    } catch (error) {
      this.#platform.log("debug", "the socket could not be closed", error);
    }
  }

  #receive(text: string): void {
    this.#lastFrameAt = this.#platform.now();
    this.#framesReceived++;
    const frame = decodeServerFrame(text);
    if (frame === undefined) return this.#platform.log("warn", "a frame could not be read");
    if ("method" in frame) {
      switch (frame.method) {
        case "hello":
          return this.#greeted(frame.params);
        case "draining":
          return this.#input({ type: "draining", reconnectAfterMs: frame.params.reconnectAfterMs });
        case "event":
        case "events":
        case "ephemeral":
        case "heartbeat":
        case "resync":
          if (this.#state.phase === "ready") this.#events.notification(frame);
          return;
        default:
          // A newer server may say what this client does not know.
          return;
      }
    }
    if (frame.id === AUTH_ID) this.#answeredAuth(frame);
    else if (this.#state.phase === "ready") this.#events.answer(frame);
  }

  #greeted(hello: Hello): void {
    if (this.#state.phase !== "greeting") return;
    this.#hello = hello;
    this.#input({ type: "hello" });
    const identity = identityOf(hello);
    if (identity !== undefined) {
      this.#identity = identity;
      return this.#input({ type: "authenticated" });
    }
    this.send(JSON.stringify(this.#credentials.request(AUTH_ID)));
  }

  #answeredAuth(frame: ResultFrame | ErrorFrame): void {
    if (this.#state.phase !== "authenticating") return;
    if ("result" in frame) {
      if (!this.#credentials.grantsLogin) return this.#lose(1006);
      this.#identity = this.#credentials.accepted(frame.result as Result<"session.resume">);
      return this.#input({ type: "authenticated" });
    }
    const error = errorOf(frame);
    if (CREDENTIAL_ERRORS.includes(error.code)) {
      const canLogin = this.#credentials.forgetSession();
      return this.#input({ type: "refused", reason: "signed-out", error, canLogin });
    }
    if (error.retryable || error.code === "INTERNAL") return this.#lose(1006, error.retryAfterMs);
    this.#input({ type: "refused", reason: "refused", error, canLogin: false });
  }

  /** One timer that looks when the last frame came, instead of one that every frame arms again [W9]. */
  #watchSilence(silenceMs: number): void {
    const { timers, now } = this.#platform;
    const look = (): void => {
      const left = this.#lastFrameAt + silenceMs - now();
      if (left > 0) this.#cancelSilence = timers.after(left, look);
      else this.#lose(CLOSE.HEARTBEAT_LOST);
    };
    this.#cancelSilence();
    this.#cancelSilence = timers.after(silenceMs, look);
  }
}
