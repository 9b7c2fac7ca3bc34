import type { Connection, ConnectionListener, SendOutcome } from "../../src/ports/connection.ts";

/**
 * A connection without a network: the server's end is a `Connection` that calls a `ConnectionListener`, the client's
 * end looks like a browser's WebSocket. Nothing moves until the test flushes, so every interleaving can be played.
 *
 *   server: connection.send ──▶ toClient ──flushToClient──▶ client.onmessage, client.received
 *   client: client.send     ──▶ toServer ──flushToServer──▶ listener.message
 *
 *   const pair = openPair(gateway)          // listener.open has been called
 *   pair.client.send('…'); pair.flush()     // both ways, until nothing moves
 *   pair.window = 0                         // from here on every unflushed byte counts as buffered
 *
 * It runs the same contract suite as the real transports: `test/contracts/connection.ts`.
 */
export interface PairOptions {
  readonly id?: string;
  readonly remoteAddress?: string;
  readonly cookieToken?: string;
  readonly userAgent?: string;
  readonly protocol?: string;
  /** Bytes on the way to the client that do not count as buffered: the kernels' buffers. */
  readonly window?: number;
  /** Buffered bytes above which a send is lost and the connection with it. */
  readonly hardLimit?: number;
  /** Bytes of a frame from the client above which the connection is dropped. */
  readonly maxPayload?: number;
  /** Flush in a microtask after every send, for code that waits on promises. */
  readonly auto?: boolean;
}

/** What the client SDK needs of a WebSocket. */
export interface ClientSocket {
  readonly url: string;
  readonly protocol: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: ((event: object) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string; readonly wasClean: boolean }) => void) | null;
  onerror: ((event: object) => void) | null;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

export interface PairClient extends ClientSocket {
  /** Every text that arrived, also before a handler was set. */
  readonly received: string[];
  /** How it ended. */
  readonly closed: { readonly code: number; readonly reason: string } | undefined;
}

export interface PairConnection extends Connection {
  /** Sends that were called inside of `cork` count 1 together. */
  readonly writes: number;
}

type Packet =
  | { readonly kind: "open" }
  | { readonly kind: "text"; readonly text: string; readonly bytes: number }
  | { readonly kind: "binary"; readonly bytes: number }
  | { readonly kind: "close"; readonly code: number; readonly reason: string }
  /** The other end is gone without a close frame. */
  | { readonly kind: "lost" };

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** More packets than this in one flush are two ends that answer each other for ever. */
const FLUSH_LIMIT = 1_000_000;

const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const sizeOf = (packet: Packet) => (packet.kind === "text" || packet.kind === "binary" ? packet.bytes : 0);

let lastId = 0;

export class SocketPair {
  readonly connection: PairConnection;
  readonly client: PairClient;
  /** See `PairOptions.window`; may change at any time. */
  window: number;

  readonly #listener: ConnectionListener;
  readonly #auto: boolean;
  readonly #maxPayload: number;
  readonly #server: ServerEnd;
  readonly #browser: ClientEnd;
  #toClient: Packet[] = [];
  #toServer: Packet[] = [{ kind: "open" }];
  #bytesToClient = 0;
  #scheduled = false;

  constructor(listener: ConnectionListener, options: PairOptions = {}, url = "ws://pair/ws") {
    this.#listener = listener;
    this.window = options.window ?? Infinity;
    this.#auto = options.auto ?? false;
    this.#maxPayload = options.maxPayload ?? 1024 * 1024;
    this.#server = new ServerEnd(this, options, (packet) => this.#pushToClient(packet), listener);
    this.#browser = new ClientEnd(url, options.protocol ?? "parley.v1", (packet) => this.#pushToServer(packet));
    this.connection = this.#server;
    this.client = this.#browser;
    if (this.#auto) this.#schedule();
  }

  /** Bytes sent by the server that the client has not received. */
  get bytesToClient(): number {
    return this.#bytesToClient;
  }

  /** Moves everything both ways, and what that causes, until nothing moves. */
  flush(): void {
    for (let moved = 0; ;) {
      const now = this.flushToServer() + this.flushToClient();
      if (now === 0) return;
      moved += now;
      if (moved > FLUSH_LIMIT) throw new Error("the ends of this socket pair answer each other for ever");
    }
  }

  /** Moves at most `frames` frames to the client and then tells the server if its buffer fell. Returns how many. */
  flushToClient(frames = Infinity): number {
    const before = this.#server.bufferedBytes;
    let moved = 0;
    for (; moved < frames; moved++) {
      const packet = this.#toClient.shift();
      if (packet === undefined) break;
      this.#bytesToClient -= sizeOf(packet);
      this.#browser.receive(packet);
    }
    if (this.#server.bufferedBytes < before && this.#server.state === "open") this.#listener.drain(this.#server);
    return moved;
  }

  /** Moves at most `frames` frames to the server. Returns how many. */
  flushToServer(frames = Infinity): number {
    let moved = 0;
    for (; moved < frames; moved++) {
      const packet = this.#toServer.shift();
      if (packet === undefined) break;
      this.#browser.bufferedAmount -= sizeOf(packet);
      this.#serve(packet);
    }
    return moved;
  }

  /**
   * The network goes, without a close frame, and with everything that was on its way. `who` notices it: at once for
   * the server, as a 1006 for the client. An end that does not notice sends into the void.
   */
  cut(who: "both" | "server" | "client" = "both"): void {
    this.#toClient = [];
    this.#toServer = [];
    this.#bytesToClient = 0;
    if (who !== "client") this.#server.end(1006);
    if (who !== "server") this.#browser.receive({ kind: "lost" });
  }

  #serve(packet: Packet): void {
    const server = this.#server;
    if (packet.kind === "open") {
      this.#pushToClient(packet);
      server.state = "open";
      this.#listener.open(server);
      return;
    }
    if (packet.kind === "lost") return server.end(1006);
    if (server.state !== "open") return;
    switch (packet.kind) {
      case "text":
      case "binary":
        if (packet.bytes > this.#maxPayload) {
          this.#pushToClient({ kind: "lost" });
          server.end(1006);
        } else if (packet.kind === "binary") server.close(4501, "binary frame");
        else this.#listener.message(server, packet.text);
        return;
      case "close":
        this.#pushToClient(packet);
        server.end(packet.code);
    }
  }

  #pushToClient(packet: Packet): void {
    this.#bytesToClient += sizeOf(packet);
    // Whoever loses its connection receives nothing of what was on its way.
    if (packet.kind === "lost") {
      this.#toClient = [];
      this.#bytesToClient = 0;
    }
    this.#toClient.push(packet);
    if (this.#auto) this.#schedule();
  }

  #pushToServer(packet: Packet): void {
    this.#toServer.push(packet);
    if (this.#auto) this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** The server lost the connection by itself; it hears of it with the next flush, never inside of its own call. */
  lose(): void {
    this.#pushToClient({ kind: "lost" });
    this.#toServer = [];
    this.#pushToServer({ kind: "lost" });
  }
}

class ServerEnd implements PairConnection {
  readonly id: string;
  readonly remoteAddress: string;
  readonly cookieToken: string | undefined;
  readonly userAgent: string;
  state: "connecting" | "open" | "lost" | "closed" = "connecting";
  writes = 0;
  #corked = false;
  readonly #pair: SocketPair;
  readonly #push: (packet: Packet) => void;
  readonly #listener: ConnectionListener;
  readonly #hardLimit: number;

  constructor(pair: SocketPair, options: PairOptions, push: (packet: Packet) => void, listener: ConnectionListener) {
    this.id = options.id ?? `pair-${++lastId}`;
    this.remoteAddress = options.remoteAddress ?? "127.0.0.1";
    this.cookieToken = options.cookieToken;
    this.userAgent = (options.userAgent ?? "socket-pair").slice(0, 200);
    this.#hardLimit = options.hardLimit ?? 2 * 1024 * 1024;
    this.#pair = pair;
    this.#push = push;
    this.#listener = listener;
  }

  get bufferedBytes(): number {
    return this.state === "open" ? Math.max(0, this.#pair.bytesToClient - this.#pair.window) : 0;
  }

  send(frame: string | Uint8Array): SendOutcome {
    if (this.state !== "open") return "closed";
    const content = typeof frame === "string" ? frame.toWellFormed() : text.decode(frame);
    const bytes = typeof frame === "string" ? utf8.encode(frame).length : frame.length;
    if (this.bufferedBytes + bytes > this.#hardLimit) {
      this.state = "lost";
      this.#pair.lose();
      return "closed";
    }
    if (!this.#corked) this.writes++;
    this.#push({ kind: "text", text: content, bytes });
    return this.bufferedBytes > 0 ? "buffered" : "sent";
  }

  cork(write: () => void): void {
    if (this.#corked) return write();
    this.#corked = true;
    this.writes++;
    try {
      write();
    } finally {
      this.#corked = false;
    }
  }

  close(code: number, reason: string): void {
    checkClose(code, reason);
    if (this.state === "lost") return this.end(1006);
    if (this.state !== "open") return;
    this.#push({ kind: "close", code, reason });
    this.end(code);
  }

  end(code: number): void {
    if (this.state === "closed") return;
    const opened = this.state !== "connecting";
    this.state = "closed";
    if (opened) this.#listener.close(this, code);
  }
}

class ClientEnd implements PairClient {
  readonly url: string;
  protocol = "";
  readyState = CONNECTING;
  bufferedAmount = 0;
  readonly received: string[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  onopen: ClientSocket["onopen"] = null;
  onmessage: ClientSocket["onmessage"] = null;
  onclose: ClientSocket["onclose"] = null;
  onerror: ClientSocket["onerror"] = null;
  readonly #selected: string;
  readonly #push: (packet: Packet) => void;

  constructor(url: string, protocol: string, push: (packet: Packet) => void) {
    this.url = url;
    this.#selected = protocol;
    this.#push = push;
  }

  send(data: string | Uint8Array): void {
    if (this.readyState === CONNECTING) throw new Error("InvalidStateError: the socket is connecting");
    if (this.readyState !== OPEN) return;
    const packet: Packet =
      typeof data === "string"
        ? { kind: "text", text: data.toWellFormed(), bytes: utf8.encode(data).length }
        : { kind: "binary", bytes: data.length };
    this.bufferedAmount += packet.bytes;
    this.#push(packet);
  }

  close(code?: number, reason = ""): void {
    if (code !== undefined && code !== 1000) checkClose(code, reason);
    if (this.readyState >= CLOSING) return;
    this.readyState = CLOSING;
    this.#push({ kind: "close", code: code ?? 1005, reason });
  }

  receive(packet: Packet): void {
    switch (packet.kind) {
      case "open":
        if (this.readyState !== CONNECTING) return;
        this.readyState = OPEN;
        this.protocol = this.#selected;
        this.onopen?.({});
        return;
      case "text":
        if (this.readyState !== OPEN) return;
        this.received.push(packet.text);
        this.onmessage?.({ data: packet.text });
        return;
      case "close":
        return this.#end(packet.code, packet.reason, true);
      case "lost":
        return this.#end(1006, "", false);
      case "binary":
        throw new Error("a server sends no binary frames");
    }
  }

  #end(code: number, reason: string, wasClean: boolean): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.closed = { code, reason };
    if (!wasClean) this.onerror?.({});
    this.onclose?.({ code, reason, wasClean });
  }
}

/** RFC 6455 §7.4: what may stand in a close frame; a reason has at most 123 bytes. */
function checkClose(code: number, reason: string): void {
  const allowed =
    (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
  if (!allowed) throw new Error(`${code} may not be sent as a close code`);
  if (utf8.encode(reason).length > 123) throw new Error(`the close reason is longer than 123 bytes: ${reason}`);
}

/** A pair that is open at both ends: `listener.open` has been called, what it sent waits for a flush. */
export function openPair(listener: ConnectionListener, options?: PairOptions): SocketPair {
  const pair = new SocketPair(listener, options);
  pair.flushToServer(1);
  pair.flushToClient(1);
  return pair;
}

/** Stands in for the network of a client SDK: `connect` instead of `new WebSocket`. */
export class PairNetwork {
  /** Every connection so far, the newest last. */
  readonly pairs: SocketPair[] = [];
  /** While true, connecting fails as it does without a server: an error, then 1006. */
  unreachable = false;
  readonly #listener: ConnectionListener;
  readonly #options: PairOptions;

  constructor(listener: ConnectionListener, options: PairOptions = {}) {
    this.#listener = listener;
    this.#options = options;
  }

  readonly connect = (url: string, _protocols?: string | string[]): ClientSocket => {
    const pair = new SocketPair(this.#listener, this.#options, url);
    this.pairs.push(pair);
    if (this.unreachable) {
      pair.cut("server");
      queueMicrotask(() => pair.cut("client"));
    }
    return pair.client;
  };

  get latest(): SocketPair {
    const pair = this.pairs.at(-1);
    if (pair === undefined) throw new Error("nobody has connected");
    return pair;
  }
}
