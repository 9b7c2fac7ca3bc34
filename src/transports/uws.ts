/**
 * µWebSockets as a `Transport`: HTTP routes and the socket at `/ws` on one port. It turns native I/O into calls of the
 * ports and decides nothing. This is the only file that loads the native module.
 */
import {
  App,
  DISABLED,
  type HttpRequest as NativeRequest,
  type HttpResponse as NativeResponse,
  LIBUS_LISTEN_EXCLUSIVE_PORT,
  type TemplatedApp,
  us_listen_socket_close,
  us_socket_local_port,
  type us_listen_socket,
  type us_socket_context_t,
  type WebSocket,
} from "uWebSockets.js";
import { errorAnswer } from "../gateway/http-answer.ts";
import type { Transport, TransportHooks } from "../ports/http.ts";
import { PROTOCOL } from "../protocol/constants.ts";
import { CLOSE, ParleyError } from "../protocol/errors.ts";
import { uuidv7 } from "../protocol/id.ts";
import { HTTP_LIMITS, type SocketOptions } from "./http-limits.ts";
import { flat, UserAgents } from "./peer-strings.ts";
import { remoteAddress } from "./remote-address.ts";
import {
  cookieOfUpgrade,
  IDLE_SECONDS,
  INTERNAL_ERROR,
  MAX_BACKPRESSURE,
  MAX_PAYLOAD,
  upgradeRefusal,
  upgradeRequired,
  whyNotListening,
} from "./upgrade.ts";
import { type SocketData, UwsConnection } from "./uws-connection.ts";
import { UwsHttp } from "./uws-http.ts";

declare module "uWebSockets.js" {
  /** Missing in the package's types. Without it a second server on the port takes every other connection, silently. */
  export const LIBUS_LISTEN_EXCLUSIVE_PORT: number;
  export const DISABLED: number;
  interface TemplatedApp {
    listen(host: string, port: number, options: number, done: (socket: us_listen_socket | false) => void): TemplatedApp;
  }
}

/**
 * µWebSockets drops the TCP connection without a close frame at its own limits, so each lies above the server's limit
 * for the same thing, which answers with an error or a close code first [W8, W11].
 */
const SOCKET = {
  maxPayloadLength: MAX_PAYLOAD,
  maxBackpressure: MAX_BACKPRESSURE,
  closeOnBackpressureLimit: true,
  /** Its clock ticks every 4 s, so that a silent peer is dead after 32 to 36 s. */
  idleTimeout: IDLE_SECONDS,
  sendPingsAutomatically: true,
  maxLifetime: 0,
  compression: DISABLED,
} as const;

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function uwsTransport(options: SocketOptions, hooks: TransportHooks): Transport {
  return new UwsTransport(options, hooks);
}

class UwsTransport implements Transport {
  readonly #options: SocketOptions;
  readonly #hooks: TransportHooks;
  readonly #http: UwsHttp;
  readonly #app: TemplatedApp = App();
  #listening: us_listen_socket | undefined = undefined;
  readonly #userAgents = new UserAgents();
  #stopped = false;
  #closed: Promise<void> | undefined = undefined;

  constructor(options: SocketOptions, hooks: TransportHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#http = new UwsHttp({ ...options, routes: hooks.routes, limits: options.http ?? HTTP_LIMITS });
    this.#app.ws<SocketData>("/ws", {
      ...SOCKET,
      idleTimeout: options.idleSeconds ?? SOCKET.idleTimeout,
      upgrade: (response, request, context) => this.#upgrade(response, request, context),
      open: (socket) => this.#open(socket),
      message: (socket, message, isBinary) => this.#message(socket, message, isBinary),
      drain: (socket) => this.#drain(socket),
      close: (socket, code) => this.#close(socket, code),
    });
    // Only what is no upgrade gets here.
    this.#app.any("/ws", (response) => this.#http.answer(response, upgradeRequired(), false, true));
    this.#app.any("/*", (response, request) => this.#http.handle(response, request));
  }

  async listen(): Promise<number> {
    if (this.#listening !== undefined || this.#stopped) throw new Error("a transport listens once");
    const { host, port } = this.#options;
    // µWebSockets calls back before it returns.
    this.#app.listen(host, port, LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
      if (socket !== false) this.#listening = socket;
    });
    if (this.#listening === undefined) throw await whyNotListening(host, port);
    return us_socket_local_port(this.#listening);
  }

  stopListening(): void {
    this.#stopped = true;
    this.#http.closeAfterAnswers();
    if (this.#listening !== undefined) us_listen_socket_close(this.#listening);
    this.#listening = undefined;
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    this.stopListening();
    // The loop reads what peers have sent: a socket that is closed with unread bytes is reset, and its peer would lose
    // the close frame that was just sent to it.
    await new Promise((resolve) => setImmediate(resolve));
    this.#app.close();
  }

  #upgrade(response: NativeResponse, request: NativeRequest, context: us_socket_context_t): void {
    try {
      const address = this.#remoteAddress(response, request);
      const protocols = request.getHeader("sec-websocket-protocol");
      const header = (name: string) => request.getHeader(name);
      const refusal = upgradeRefusal({ stopped: this.#stopped, remoteAddress: address, header }, this.#hooks);
      if (refusal !== undefined) return this.#http.answer(response, refusal, false, true);
      const token = cookieOfUpgrade(request.getQuery(), header);
      const connection = new UwsConnection({
        id: flat(uuidv7()),
        remoteAddress: address,
        cookieToken: token === undefined ? undefined : flat(token),
        userAgent: this.#userAgents.get(request.getHeader("user-agent")),
      });
      response.upgrade<SocketData>(
        { connection },
        request.getHeader("sec-websocket-key"),
        protocols === "" ? "" : PROTOCOL,
        request.getHeader("sec-websocket-extensions"),
        context,
      );
    } catch (error) {
      this.#bug(error, "the upgrade failed");
      this.#http.answer(response, errorAnswer(new ParleyError("INTERNAL")), false, true);
    }
  }

  #remoteAddress(response: NativeResponse, request: NativeRequest): string {
    const socket = new Uint8Array(response.getRemoteAddress());
    return remoteAddress(socket, request.getHeader("x-forwarded-for"), this.#options.trustProxy);
  }

  #open(socket: WebSocket<SocketData>): void {
    const { connection } = socket.getUserData();
    connection.attach(socket);
    try {
      this.#hooks.connections.open(connection);
    } catch (error) {
      this.#listenerFailed(connection, error);
    }
  }

  #message(socket: WebSocket<SocketData>, message: ArrayBuffer, isBinary: boolean): void {
    const { connection } = socket.getUserData();
    if (connection.lost) return;
    if (isBinary) return connection.close(CLOSE.PROTOCOL, "binary frame");
    try {
      // µWebSockets has checked that it is UTF-8; the buffer is taken back when this returns.
      this.#hooks.connections.message(connection, text.decode(message));
    } catch (error) {
      this.#listenerFailed(connection, error);
    }
  }

  #drain(socket: WebSocket<SocketData>): void {
    const { connection } = socket.getUserData();
    if (connection.lost) return;
    try {
      this.#hooks.connections.drain(connection);
    } catch (error) {
      this.#listenerFailed(connection, error);
    }
  }

  #close(socket: WebSocket<SocketData>, code: number): void {
    const { connection } = socket.getUserData();
    connection.detach();
    try {
      this.#hooks.connections.close(connection, code);
    } catch (error) {
      this.#bug(error, "a connection's close failed");
    }
  }

  /** What the listener thinks of this connection is unknown now; its client starts afresh. */
  #listenerFailed(connection: UwsConnection, error: unknown): void {
    this.#bug(error, "a connection's listener failed", connection.id);
    connection.close(INTERNAL_ERROR, "internal error");
  }

  #bug(error: unknown, message: string, connectionId?: string): void {
    this.#options.metrics.bug();
    this.#options.log.error({ err: error, ...(connectionId === undefined ? {} : { connectionId }) }, message);
  }
}
