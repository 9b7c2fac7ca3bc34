/**
 * HTTP on µWebSockets: native request → HttpRequest → route → HttpResponse → native response.
 *
 * The native request lives only until the callback returns, so everything is copied before the first await. The native
 * response is dead once `onAborted` was called; touching it then ends the process, hence `HttpExchange.done`.
 */
import { STATUS_CODES } from "node:http";
import type { HttpRequest as NativeRequest, HttpResponse as NativeResponse } from "uWebSockets.js";
import { errorAnswer } from "../gateway/http-answer.ts";
import { SECURITY_HEADERS } from "../gateway/http-headers.ts";
import { httpRouter, type HttpRouter } from "../gateway/http-router.ts";
import type { HttpResponse } from "../ports/http.ts";
import { HttpExchange } from "./http-exchange.ts";
import { BODILESS, type HttpOptions, tooLarge } from "./http-limits.ts";
import { remoteAddress } from "./remote-address.ts";

const NO_BODY = new Uint8Array(0);
export class UwsHttp {
  readonly #options: HttpOptions;
  readonly #router: HttpRouter;
  #closing = false;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#router = httpRouter(options.routes);
  }

  /** From now on each answer is the last one of its connection. */
  closeAfterAnswers(): void {
    this.#closing = true;
  }

  /** Answers at once, in the native callback. `close`: what is left of the request is not worth reading. */
  answer(native: NativeResponse, answer: HttpResponse, head: boolean, close = false): void {
    const last = close || this.#closing;
    native.cork(() => {
      native.writeStatus(`${answer.status} ${STATUS_CODES[answer.status] ?? "Unknown"}`);
      for (const [name, value] of Object.entries({ ...SECURITY_HEADERS, ...answer.headers })) {
        native.writeHeader(name, value);
      }
      const bodiless = BODILESS.has(answer.status);
      if (!head && !bodiless) {
        native.end(answer.body, last);
        return;
      }
      // With arguments, `endWithoutBody` does not end: it waits for a body of that length.
      if (!bodiless) native.writeHeader("content-length", String(Buffer.byteLength(answer.body)));
      if (last) native.writeHeader("connection", "close");
      native.endWithoutBody();
    });
  }

  /** The native route handler for everything but the upgrade. */
  handle(native: NativeResponse, request: NativeRequest): void {
    const method = request.getCaseSensitiveMethod();
    const path = request.getUrl();
    const head = method === "HEAD";
    const routed = this.#router(method, path);
    const headers = copyHeaders(request);
    const length = declaredLength(headers);
    // What is refused unread leaves its body in the connection, which is closed for that.
    if (!routed.found) return this.answer(native, routed.answer, head, length !== 0);
    const { route } = routed;
    if (length > route.maxBody && (length !== Infinity || route.maxBody === 0)) {
      return this.answer(native, errorAnswer(tooLarge(route)), head, true);
    }

    const exchange = new HttpExchange(this.#options, (answer, close) => this.answer(native, answer, head, close));
    native.onAborted(() => exchange.left());
    const copied = {
      method,
      path,
      query: request.getQuery(),
      headers,
      remoteAddress: remoteAddress(
        new Uint8Array(native.getRemoteAddress()),
        headers.get("x-forwarded-for") ?? "",
        this.#options.trustProxy,
      ),
      signal: exchange.signal,
    };
    if (length === 0) return exchange.run(route, { ...copied, body: NO_BODY });
    const body = exchange.body(route, copied);
    native.onData((chunk, isLast) => {
      body.add(new Uint8Array(chunk.slice(0)));
      if (isLast) body.end();
    });
  }
}

function copyHeaders(request: NativeRequest): Map<string, string> {
  const headers = new Map<string, string>();
  request.forEach((name, value) => {
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`);
  });
  return headers;
}

/** Bytes of the body that a request announces; Infinity when it comes in chunks. */
function declaredLength(headers: ReadonlyMap<string, string>): number {
  if (headers.has("transfer-encoding")) return Infinity;
  const length = Number(headers.get("content-length") ?? 0);
  // µWebSockets refuses a malformed length itself.
  return Number.isFinite(length) ? length : Infinity;
}
