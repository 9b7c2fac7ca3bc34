import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Connection, SendOutcome } from "../ports/connection.ts";
import { MAX_BACKPRESSURE } from "./upgrade.ts";

/** What is known of a peer at its upgrade. */
export interface WsPeer {
  readonly id: string;
  readonly remoteAddress: string;
  readonly cookieToken: string | undefined;
  readonly userAgent: string;
}

export interface WsHooks {
  drain(connection: WsConnection): void;
  close(connection: WsConnection, code: number): void;
}

/** One socket of `ws` as a `Connection`. */
export class WsConnection implements Connection {
  readonly id: string;
  readonly remoteAddress: string;
  readonly cookieToken: string | undefined;
  readonly userAgent: string;
  /** Of the transport's clock: when it last heard from the peer, or saw it take something. */
  heardAt = 0;
  readonly #hooks: WsHooks;
  #socket: WebSocket | undefined;
  #stream: Duplex | undefined;
  /** A frame is lost: nothing may follow it. */
  #lost = false;
  /** Somebody waits for `drain`. */
  #buffering = false;

  constructor(peer: WsPeer, hooks: WsHooks) {
    this.id = peer.id;
    this.remoteAddress = peer.remoteAddress;
    this.cookieToken = peer.cookieToken;
    this.userAgent = peer.userAgent;
    this.#hooks = hooks;
  }

  get lost(): boolean {
    return this.#lost;
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  send(frame: string | Uint8Array): SendOutcome {
    const socket = this.#socket;
    if (socket === undefined || this.#lost) return "closed";
    if (socket.bufferedAmount + frame.length > MAX_BACKPRESSURE) {
      this.#lost = true;
      // Its close event comes in a later turn.
      socket.terminate();
      return "closed";
    }
    socket.send(frame, TEXT, this.#written);
    if (socket.bufferedAmount === 0) return "sent";
    this.#buffering = true;
    return "buffered";
  }

  cork(write: () => void): void {
    const stream = this.#stream;
    stream?.cork();
    try {
      write();
    } finally {
      stream?.uncork();
    }
  }

  close(code: number, reason: string): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    // After a lost frame a close frame would be a lie: the peer would take what it got for everything.
    if (this.#lost) {
      socket.terminate();
      return this.ended(ABNORMAL);
    }
    socket.close(code, reason);
    // The peer need not answer: nothing is said after this.
    this.#stream?.end();
    this.ended(code);
  }

  /** For the transport: the socket lives from here … */
  attach(socket: WebSocket, stream: Duplex): void {
    this.#socket = socket;
    this.#stream = stream;
  }

  /** … to here; the listener hears of it once. */
  ended(code: number): void {
    if (this.#socket === undefined) return;
    this.#socket = undefined;
    this.#stream = undefined;
    this.#hooks.close(this, code);
  }

  /** Asks the peer for a sign of life, or gives it up. */
  ping(): void {
    this.#socket?.ping();
  }

  giveUp(): void {
    this.#socket?.terminate();
  }

  readonly #written = (): void => {
    if (!this.#buffering || this.#socket === undefined || this.#lost || this.#socket.bufferedAmount > 0) return;
    this.#buffering = false;
    this.#hooks.drain(this);
  };
}

/** RFC 6455 §7.1.5: closed without a close frame. */
const ABNORMAL = 1006;
const TEXT = { binary: false, compress: false } as const;
