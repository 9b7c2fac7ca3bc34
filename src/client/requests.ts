/**
 * Requests that wait for an answer. One that is harmless to repeat survives the loss of its connection.
 *
 *   queued ──▶ sent ──▶ settled            queued: no connection, or as many in flight as the server takes
 *     ▲  ▲      │ │
 *     │  └ lost ┘ │ retryable error with retryAfterMs; of a read once without
 *     └─ resting ◀┘
 *
 * At any point: the time limit, or the caller's signal.
 */
import { MAX_FRAME_IN } from "../protocol/constants.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { ErrorFrame, Limits, ResultFrame } from "../protocol/frames.ts";
import { fullJitter } from "./backoff.ts";
import { errorOf } from "./errors.ts";
import type { Platform } from "./platform.ts";
import type { Safety } from "./safety.ts";

export type Outcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: ParleyError };

export interface RequestOptions {
  readonly method: string;
  readonly params: unknown;
  readonly safety: Safety;
  readonly timeoutMs: number;
  /** Only on the present connection: fails at once without one, and with it. */
  readonly bound?: boolean;
}

interface Request extends RequestOptions {
  readonly id: number;
  readonly text: string;
  readonly deadline: number;
  readonly settle: (outcome: Outcome) => void;
  state: "queued" | "sent" | "resting" | "settled";
  wasSent: boolean;
  retries: number;
  cancelTimeout: () => void;
  cancelRest: () => void;
}

/** Requests without an answer; one more is refused with TOO_MANY_IN_FLIGHT. */
export const MAX_REQUESTS = 1_000;
/** How often a request is repeated because the server asked for it. */
export const MAX_RETRIES = 5;

/** Before a read that the server could not answer, and gave no time for, is made once more. */
const READ_AGAIN_MS = 100;

const utf8 = new TextEncoder();

/** Is a text longer than this in UTF-8? Most are settled without encoding them. */
function exceeds(text: string, bytes: number): boolean {
  if (text.length * 3 <= bytes) return false;
  return text.length > bytes || utf8.encode(text).length > bytes;
}

export class Requests {
  readonly #platform: Platform;
  readonly #send: (text: string) => boolean;
  readonly #queue = new Set<Request>();
  readonly #sent = new Map<number, Request>();
  readonly #resting = new Set<Request>();
  /** Undefined while there is no connection. */
  #limits: Limits | undefined;
  #frameLimit = MAX_FRAME_IN;
  /** Set when the client was given up: everything fails with it. */
  #refusal: ParleyError | undefined;
  #lastId = 0;

  constructor(platform: Platform, send: (text: string) => boolean) {
    this.#platform = platform;
    this.#send = send;
  }

  get size(): number {
    return this.#queue.size + this.#sent.size + this.#resting.size;
  }

  /** `settle` is called exactly once, later or at once. The answer cancels: `settle` is then called with CANCELLED. */
  start(options: RequestOptions, settle: (outcome: Outcome) => void): (cause?: unknown) => void {
    const id = ++this.#lastId;
    const text = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(options.method)},"params":${JSON.stringify(options.params)}}`;
    const refusal = this.#refuse(options, text);
    if (refusal !== undefined) {
      settle({ ok: false, error: refusal });
      return () => {};
    }
    const { now, timers } = this.#platform;
    const request: Request = {
      ...options,
      id,
      text,
      deadline: now() + options.timeoutMs,
      settle,
      state: "queued",
      wasSent: false,
      retries: 0,
      cancelTimeout: () => {},
      cancelRest: () => {},
    };
    request.cancelTimeout = timers.after(options.timeoutMs, () => this.#timeOut(request));
    this.#queue.add(request);
    this.#pump();
    return (cause) => this.#cancel(request, cause);
  }

  #refuse(options: RequestOptions, text: string): ParleyError | undefined {
    if (this.#refusal !== undefined) return this.#refusal;
    if (options.bound === true && this.#limits === undefined) return lostError(false);
    if (this.size >= MAX_REQUESTS) return new ParleyError("TOO_MANY_IN_FLIGHT");
    if (exceeds(text, this.#frameLimit)) return new ParleyError("FRAME_TOO_LARGE");
    return undefined;
  }

  online(limits: Limits): void {
    this.#limits = limits;
    this.#frameLimit = limits.frameIn;
    this.#refusal = undefined;
    this.#pump();
  }

  /** The connection is gone, and with it every answer that was still to come. */
  offline(): void {
    this.#limits = undefined;
    const waiting = [...this.#queue];
    const sent = [...this.#sent.values()];
    this.#sent.clear();
    this.#queue.clear();
    const again = sent.filter((request) => !request.bound && request.safety !== "once");
    for (const request of [...again, ...waiting.filter(({ bound }) => bound !== true)]) {
      request.state = "queued";
      this.#queue.add(request);
    }
    const failed = [
      ...sent.filter((request) => request.state === "sent"),
      ...waiting.filter(({ bound }) => bound === true),
      ...[...this.#resting].filter(({ bound }) => bound === true),
    ];
    for (const request of failed) this.#settle(request, { ok: false, error: lostError(request.wasSent) });
  }

  /** There will be no connection until somebody asks for one: nothing waits for it. */
  giveUp(error: ParleyError): void {
    this.#refusal = error;
    for (const request of [...this.#sent.values(), ...this.#queue, ...this.#resting]) {
      this.#settle(request, { ok: false, error });
    }
  }

  /** Requests may be made again, to wait for a connection. */
  resume(): void {
    this.#refusal = undefined;
  }

  answer(frame: ResultFrame | ErrorFrame): void {
    const request = typeof frame.id === "number" ? this.#sent.get(frame.id) : undefined;
    // Unknown: it was cancelled, or timed out, before its answer came.
    if (request === undefined) return;
    if ("result" in frame) this.#settle(request, { ok: true, result: frame.result });
    else this.#failed(request, errorOf(frame));
    this.#pump();
  }

  #failed(request: Request, error: ParleyError): void {
    const { now, random, timers } = this.#platform;
    const delay = this.#retryDelay(request, error, random);
    if (delay === undefined || now() + delay >= request.deadline) return this.#settle(request, { ok: false, error });
    this.#sent.delete(request.id);
    request.state = "resting";
    request.retries++;
    this.#resting.add(request);
    request.cancelRest = timers.after(delay, () => {
      this.#resting.delete(request);
      request.state = "queued";
      this.#queue.add(request);
      this.#pump();
    });
  }

  /** The server names the least wait; jitter on top keeps those it told the same from coming together. */
  #retryDelay(request: Request, error: ParleyError, random: () => number): number | undefined {
    if (!error.retryable || request.retries >= MAX_RETRIES) return undefined;
    if (error.retryAfterMs === undefined) {
      // A connection of the server's to its database broke, perhaps: the next one may be well.
      const again = request.safety === "read" && error.code === "UNAVAILABLE" && request.retries === 0;
      return again ? READ_AGAIN_MS + fullJitter(1, random) : undefined;
    }
    // Whether a request that took too long had its effect is not known.
    if (request.safety === "once" && error.code === "TIMEOUT") return undefined;
    return error.retryAfterMs + fullJitter(request.retries + 1, random);
  }

  #pump(): void {
    for (const request of this.#queue) {
      if (this.#limits === undefined || this.#sent.size >= this.#limits.inFlight) return;
      this.#queue.delete(request);
      // It may have been made before the server said how much it takes.
      if (exceeds(request.text, this.#limits.frameIn)) {
        this.#settle(request, { ok: false, error: new ParleyError("FRAME_TOO_LARGE") });
        continue;
      }
      request.state = "sent";
      request.wasSent = true;
      this.#sent.set(request.id, request);
      // Not sent: the socket is closing, and `offline` follows.
      this.#send(request.text);
    }
  }

  #timeOut(request: Request): void {
    this.#withdraw(request);
    const error = request.wasSent
      ? new ParleyError("TIMEOUT")
      : new ParleyError("UNAVAILABLE", { message: "There was no connection to the server. Nothing was sent." });
    this.#settle(request, { ok: false, error });
    this.#pump();
  }

  #cancel(request: Request, cause: unknown): void {
    this.#withdraw(request);
    this.#settle(request, { ok: false, error: new ParleyError("CANCELLED", { cause }) });
    this.#pump();
  }

  /** Tells the server that nobody waits any more [W12]. The answer to this is of no interest. */
  #withdraw({ state, id }: Request): void {
    if (state !== "sent") return;
    this.#send(`{"jsonrpc":"2.0","id":${++this.#lastId},"method":"request.cancel","params":{"requestId":${id}}}`);
  }

  #settle(request: Request, outcome: Outcome): void {
    if (request.state === "settled") return;
    request.state = "settled";
    request.cancelTimeout();
    request.cancelRest();
    this.#queue.delete(request);
    this.#resting.delete(request);
    this.#sent.delete(request.id);
    try {
      request.settle(outcome);
    } catch (error) {
      this.#platform.log("error", "a request's answer could not be handled", error);
    }
  }
}

const lostError = (wasSent: boolean): ParleyError =>
  new ParleyError("UNAVAILABLE", {
    message: wasSent
      ? "The connection was lost before the answer came. The request may have had its effect."
      : "There is no connection to the server.",
  });
