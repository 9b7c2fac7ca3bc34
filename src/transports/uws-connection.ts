import type { WebSocket } from "uWebSockets.js";
import type { Connection, SendOutcome } from "../ports/connection.ts";

/** What µWebSockets keeps for a socket: nothing but the way to the connection. */
export interface SocketData {
  readonly connection: UwsConnection;
}

/** What is known of a peer at its upgrade. Copied there: the request is gone after the callback. */
export interface Peer {
  readonly id: string;
  readonly remoteAddress: string;
  readonly cookieToken: string | undefined;
  readonly userAgent: string;
}

/** `send` of µWebSockets: 1 sent, 0 buffered, 2 dropped because its `maxBackpressure` was exceeded. */
const BUFFERED = 0;
const DROPPED = 2;

/**
 * One socket as a `Connection`: one small object, no closures, since tens of thousands of these lie idle. The native
 * socket throws when it is touched after its close, so it is let go of there.
 */
export class UwsConnection implements Connection {
  readonly id: string;
  readonly remoteAddress: string;
  readonly cookieToken: string | undefined;
  readonly userAgent: string;
  #socket: WebSocket<SocketData> | undefined = undefined;
  /** A frame was dropped: nothing may follow it. µWebSockets has begun to close; its close event comes in a later turn. */
  #lost = false;

  constructor(peer: Peer) {
    this.id = peer.id;
    this.remoteAddress = peer.remoteAddress;
    this.cookieToken = peer.cookieToken;
    this.userAgent = peer.userAgent;
  }

  /** Is a frame lost? Then the listener hears nothing more but the close. */
  get lost(): boolean {
    return this.#lost;
  }

  get bufferedBytes(): number {
    return this.#socket === undefined ? 0 : this.#socket.getBufferedAmount();
  }

  send(frame: string | Uint8Array): SendOutcome {
    if (this.#socket === undefined || this.#lost) return "closed";
    const status = this.#socket.send(frame, false);
    if (status === DROPPED) {
      this.#lost = true;
      return "closed";
    }
    return status === BUFFERED ? "buffered" : "sent";
  }

  cork(write: () => void): void {
    if (this.#socket === undefined || this.#lost) write();
    else this.#socket.cork(write);
  }

  close(code: number, reason: string): void {
    // After a lost frame a close frame would be a lie: the peer would take what it got for everything.
    if (this.#lost) this.#socket?.close();
    else this.#socket?.end(code, reason);
  }

  /** For the transport: the native socket lives from here … */
  attach(socket: WebSocket<SocketData>): void {
    this.#socket = socket;
  }

  /** … to here. */
  detach(): void {
    this.#socket = undefined;
  }
}
