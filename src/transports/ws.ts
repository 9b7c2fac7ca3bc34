/**
 * `ws` on `node:http` as a `Transport`: for machines where the native module of the default transport does not load. The
 * same contract, at about twice the cost of a frame.
 */
import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import { Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { errorAnswer } from "../gateway/http-answer.ts";
import type { HttpResponse, Transport, TransportHooks } from "../ports/http.ts";
import { PROTOCOL } from "../protocol/constants.ts";
import { CLOSE, ParleyError } from "../protocol/errors.ts";
import { uuidv7 } from "../protocol/id.ts";
import { HTTP_LIMITS, type SocketOptions } from "./http-limits.ts";
import { UserAgents } from "./peer-strings.ts";
import { socketAddress } from "./remote-address.ts";
import {
  cannotListen,
  cookieOfUpgrade,
  IDLE_SECONDS,
  INTERNAL_ERROR,
  MAX_PAYLOAD,
  upgradeRefusal,
  upgradeRequired,
} from "./upgrade.ts";
import { WsConnection } from "./ws-connection.ts";
import { WsHttp, writeAnswer } from "./ws-http.ts";

/** A request that does not become whole is given up after 10 to 12 s. */
const SERVER = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 2_000 } as const;
/** How often silent peers are looked for. */
const TICK_MS = 4_000;
/** Seconds that a peer has to answer a ping. */
const PONG_SECONDS = 8;

export function wsTransport(options: SocketOptions, hooks: TransportHooks): Transport {
  return new WsTransport(options, hooks);
}

class WsTransport implements Transport {
  readonly #options: SocketOptions;
  readonly #hooks: TransportHooks;
  readonly #http: WsHttp;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #connections = new Set<WsConnection>();
  readonly #userAgents = new UserAgents();
  #listened = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: SocketOptions, hooks: TransportHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#http = new WsHttp({ ...options, routes: hooks.routes, limits: options.http ?? HTTP_LIMITS });
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_PAYLOAD,
      perMessageDeflate: false,
      clientTracking: true,
      handleProtocols: () => PROTOCOL,
    });
    this.#server = createServer(SERVER, (request, response) => {
      if (pathOf(request) === "/ws") return writeAnswer(response, upgradeRequired(), false, true);
      this.#http.handle(request, response);
    });
    this.#server.on("upgrade", (request, stream, head) => this.#upgrade(request, stream, head));
  }

  async listen(): Promise<number> {
    if (this.#listened || this.#stopped) throw new Error("a transport listens once");
    this.#listened = true;
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const refused = (error: NodeJS.ErrnoException) => reject(cannotListen(host, port, error.code ?? ""));
      this.#server.once("error", refused);
      this.#server.listen({ host, port, exclusive: true }, () => {
        this.#server.off("error", refused);
        resolve();
      });
    });
    this.#timer = setInterval(() => this.#findSilent(), this.#tickMs).unref();
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  stopListening(): void {
    this.#stopped = true;
    this.#http.closeAfterAnswers();
    // HTTP's own close would also cut connections that are between two requests.
    NetServer.prototype.close.call(this.#server);
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    this.stopListening();
    clearInterval(this.#timer);
    // What was sent and closed just now still leaves.
    await new Promise((resolve) => setImmediate(resolve));
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.on("error", ignore);
    const refuse = (answer: HttpResponse): void => {
      const response = new ServerResponse(request);
      response.assignSocket(request.socket);
      response.once("finish", () => stream.end());
      writeAnswer(response, answer, false, true);
    };
    try {
      if (pathOf(request) !== "/ws") {
        const response = new ServerResponse(request);
        response.assignSocket(request.socket);
        return this.#http.handle(request, response);
      }
      const header = (name: string): string => {
        const value = request.headers[name];
        return Array.isArray(value) ? value.join(", ") : (value ?? "");
      };
      const address = this.#remoteAddress(request);
      const refusal = upgradeRefusal({ stopped: this.#stopped, remoteAddress: address, header }, this.#hooks);
      if (refusal !== undefined) return refuse(refusal);
      const connection = new WsConnection(
        {
          id: uuidv7(),
          remoteAddress: address,
          cookieToken: cookieOfUpgrade(queryOf(request), header),
          userAgent: this.#userAgents.get(header("user-agent")),
        },
        { drain: (drained) => this.#drain(drained), close: (ended, code) => this.#close(ended, code) },
      );
      this.#sockets.handleUpgrade(request, stream, head, (socket) => this.#open(connection, socket, stream));
    } catch (error) {
      this.#bug(error, "the upgrade failed");
      refuse(errorAnswer(new ParleyError("INTERNAL")));
    }
  }

  #remoteAddress({ socket, headers }: IncomingMessage): string {
    const forwarded = headers["x-forwarded-for"];
    const list = Array.isArray(forwarded) ? forwarded.join(", ") : (forwarded ?? "");
    return socketAddress(socket.remoteAddress ?? "", list, this.#options.trustProxy);
  }

  #open(connection: WsConnection, socket: WebSocket, stream: Duplex): void {
    connection.attach(socket, stream);
    this.#connections.add(connection);
    const heard = () => {
      connection.heardAt = performance.now();
    };
    heard();
    socket.on("message", (data, isBinary) => {
      heard();
      this.#message(connection, data, isBinary);
    });
    socket.on("ping", heard);
    socket.on("pong", heard);
    // Too large, not UTF-8, a broken frame: `ws` closes it, and the close event follows.
    socket.on("error", ignore);
    socket.on("close", (code) => connection.ended(code));
    try {
      this.#hooks.connections.open(connection);
    } catch (error) {
      this.#listenerFailed(connection, error);
    }
  }

  #message(connection: WsConnection, data: RawData, isBinary: boolean): void {
    if (connection.lost || !this.#connections.has(connection)) return;
    if (isBinary) return connection.close(CLOSE.PROTOCOL, "binary frame");
    try {
      this.#hooks.connections.message(connection, textOf(data));
    } catch (error) {
      this.#listenerFailed(connection, error);
    }
  }

  #drain(connection: WsConnection): void {
    connection.heardAt = performance.now();
    try {
      this.#hooks.connections.drain(connection);
    } catch (error) {
      this.#listenerFailed(connection, error);
    }
  }

  #close(connection: WsConnection, code: number): void {
    this.#connections.delete(connection);
    try {
      this.#hooks.connections.close(connection, code);
    } catch (error) {
      this.#bug(error, "a connection's close failed");
    }
  }

  get #tickMs(): number {
    return Math.min(TICK_MS, this.#idleMs / 2);
  }

  get #idleMs(): number {
    return (this.#options.idleSeconds ?? IDLE_SECONDS) * 1000;
  }

  #findSilent(): void {
    const now = performance.now();
    for (const connection of this.#connections) {
      const silentMs = now - connection.heardAt;
      if (silentMs >= this.#idleMs) connection.giveUp();
      else if (silentMs >= this.#idleMs - PONG_SECONDS * 1000) connection.ping();
    }
  }

  /** What the listener thinks of this connection is unknown now; its client starts afresh. */
  #listenerFailed(connection: WsConnection, error: unknown): void {
    this.#bug(error, "a connection's listener failed", connection.id);
    connection.close(INTERNAL_ERROR, "internal error");
  }

  #bug(error: unknown, message: string, connectionId?: string): void {
    this.#options.metrics.bug();
    this.#options.log.error({ err: error, ...(connectionId === undefined ? {} : { connectionId }) }, message);
  }
}

const ignore = (): void => {};

const pathOf = ({ url = "" }: IncomingMessage): string => url.split("?", 1)[0] ?? "";

const queryOf = (request: IncomingMessage): string => (request.url ?? "").slice(pathOf(request).length + 1);

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}
