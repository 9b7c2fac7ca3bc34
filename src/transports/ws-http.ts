/** HTTP on `node:http`: request → HttpRequest → route → HttpResponse. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { errorAnswer } from "../gateway/http-answer.ts";
import { SECURITY_HEADERS } from "../gateway/http-headers.ts";
import { httpRouter, type HttpRouter } from "../gateway/http-router.ts";
import type { HttpRequest, HttpResponse, HttpRoute } from "../ports/http.ts";
import { ParleyError } from "../protocol/errors.ts";
import { BODILESS, type HttpOptions, tooLarge } from "./http-limits.ts";
import { socketAddress } from "./remote-address.ts";

export class WsHttp {
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

  handle(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new Exchange(response, request.method === "HEAD", () => this.#closing);
    const method = request.method ?? "";
    const [path = "", query = ""] = split(request.url ?? "");
    const routed = this.#router(method, path);
    const length = declaredLength(request);
    // What is refused unread leaves its body in the connection, which is closed for that.
    if (!routed.found) return exchange.finish(routed.answer, length !== 0);
    const { route } = routed;
    if (length > route.maxBody && (length !== Infinity || route.maxBody === 0)) {
      return exchange.finish(errorAnswer(tooLarge(route)), true);
    }
    const headers = copyHeaders(request);
    const head = {
      method,
      path,
      query,
      headers,
      remoteAddress: socketAddress(
        request.socket.remoteAddress ?? "",
        headers.get("x-forwarded-for") ?? "",
        this.#options.trustProxy,
      ),
      signal: exchange.signal,
    };
    if (length === 0) this.#run(exchange, route, { ...head, body: new Uint8Array(0) });
    else this.#readBody(exchange, route, request, head);
  }

  #readBody(exchange: Exchange, route: HttpRoute, request: IncomingMessage, head: Omit<HttpRequest, "body">): void {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const slow = new ParleyError("TIMEOUT", { message: "The request's body took too long to arrive." });
    exchange.limit(this.#options.limits.bodyMs, errorAnswer(slow, 408));
    request.on("data", (chunk: Uint8Array) => {
      if (exchange.done) return;
      size += chunk.byteLength;
      if (size > route.maxBody) return exchange.finish(errorAnswer(tooLarge(route)), true);
      chunks.push(chunk);
    });
    request.once("end", () => {
      if (!exchange.done) this.#run(exchange, route, { ...head, body: Buffer.concat(chunks, size) });
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
  done = false;
  readonly #response: ServerResponse;
  readonly #head: boolean;
  readonly #last: () => boolean;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, head: boolean, last: () => boolean) {
    this.#response = response;
    this.#head = head;
    this.#last = last;
    response.once("close", () => {
      clearTimeout(this.#timer);
      if (!this.done) this.#abort.abort();
      this.done = true;
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
    writeAnswer(this.#response, answer, this.#head, close || this.#last());
  }
}

/** `last`: the connection ends with it. */
export function writeAnswer(response: ServerResponse, answer: HttpResponse, head: boolean, last: boolean): void {
  const headers: Record<string, string> = { ...SECURITY_HEADERS, ...answer.headers };
  if (!BODILESS.has(answer.status)) headers["content-length"] = String(Buffer.byteLength(answer.body));
  if (last) headers["connection"] = "close";
  response.sendDate = false;
  response.writeHead(answer.status, headers);
  response.end(head || BODILESS.has(answer.status) ? undefined : answer.body);
}

/** Path and query, as sent. */
function split(url: string): readonly string[] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url] : [url.slice(0, mark), url.slice(mark + 1)];
}

function copyHeaders({ rawHeaders }: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    const value = rawHeaders[i + 1] ?? "";
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`);
  }
  return headers;
}

/** Bytes of the body that a request announces; Infinity when it comes in chunks. Node refuses a malformed length. */
const declaredLength = ({ headers }: IncomingMessage): number =>
  headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : Infinity;
