/**
 * HTTP on µWebSockets: native request → HttpRequest → route → HttpResponse → native response.
 *
 * The native request lives only until the callback returns, so everything is copied before the first await. The native
 * response is dead once `onAborted` was called; touching it then ends the process, hence `Exchange.done`.
 */
import { STATUS_CODES } from "node:http";
import type { HttpRequest as NativeRequest, HttpResponse as NativeResponse } from "uWebSockets.js";
import { errorAnswer } from "../gateway/http-answer.ts";
import { SECURITY_HEADERS } from "../gateway/http-headers.ts";
import { httpRouter, type HttpRouter } from "../gateway/http-router.ts";
import type { HttpRequest, HttpResponse, HttpRoute } from "../ports/http.ts";
import { ParleyError } from "../protocol/errors.ts";
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

    const exchange = new Exchange(this, native, head);
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
    if (length === 0) this.#run(exchange, route, { ...copied, body: NO_BODY });
    else this.#readBody(exchange, route, copied);
  }

  #readBody(exchange: Exchange, route: HttpRoute, head: Omit<HttpRequest, "body">): void {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const slow = new ParleyError("TIMEOUT", { message: "The request's body took too long to arrive." });
    exchange.limit(this.#options.limits.bodyMs, errorAnswer(slow, 408));
    exchange.native.onData((chunk, isLast) => {
      if (exchange.done) return;
      size += chunk.byteLength;
      if (size > route.maxBody) return exchange.finish(errorAnswer(tooLarge(route)), true);
      chunks.push(new Uint8Array(chunk.slice(0)));
      if (isLast) this.#run(exchange, route, { ...head, body: Buffer.concat(chunks, size) });
    });
  }

  #run(exchange: Exchange, route: HttpRoute, request: HttpRequest): void {
    const fail = (cause: unknown) => {
      if (cause instanceof ParleyError) return exchange.finish(errorAnswer(cause));
      // A route that gives up because the client has is no bug.
      if (exchange.signal.aborted) return;
      this.#options.metrics.bug();
      this.#options.log.error({ err: cause, method: request.method, path: request.path }, "an HTTP route failed");
      exchange.finish(errorAnswer(new ParleyError("INTERNAL")));
    };
    try {
      const answer = route.handle(request);
      if (!(answer instanceof Promise)) return exchange.finish(answer);
      exchange.limit(this.#options.limits.handleMs, errorAnswer(new ParleyError("TIMEOUT")));
      answer.then((value) => exchange.finish(value), fail).catch(fail);
    } catch (error) {
      fail(error);
    }
  }
}

/** One request and its answer: finished once, by the route, by a limit, or by the client that leaves. */
class Exchange {
  readonly native: NativeResponse;
  done = false;
  readonly #http: UwsHttp;
  readonly #head: boolean;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(http: UwsHttp, native: NativeResponse, head: boolean) {
    this.#http = http;
    this.native = native;
    this.#head = head;
    native.onAborted(() => {
      this.done = true;
      clearTimeout(this.#timer);
      this.#abort.abort();
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Answers with this when nothing else has by then. Replaces an earlier limit. */
  limit(ms: number, answer: HttpResponse): void {
    if (this.done) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.finish(answer, true);
      this.#abort.abort();
    }, ms);
  }

  finish(answer: HttpResponse, close = false): void {
    if (this.done) return;
    this.done = true;
    clearTimeout(this.#timer);
    this.#http.answer(this.native, answer, this.#head, close);
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
