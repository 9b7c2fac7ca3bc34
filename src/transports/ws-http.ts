/** HTTP on `node:http`: request → HttpRequest → route → HttpResponse. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { errorAnswer } from "../gateway/http-answer.ts";
import { SECURITY_HEADERS } from "../gateway/http-headers.ts";
import { httpRouter, type HttpRouter } from "../gateway/http-router.ts";
import type { HttpResponse } from "../ports/http.ts";
import { HttpExchange } from "./http-exchange.ts";
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
    const method = request.method ?? "";
    const exchange = new HttpExchange(this.#options, (answer, close) =>
      writeAnswer(response, answer, method === "HEAD", close || this.#closing),
    );
    response.once("close", () => exchange.left());
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
    if (length === 0) return exchange.run(route, { ...head, body: new Uint8Array(0) });
    const body = exchange.body(route, head);
    request.on("data", (chunk: Uint8Array) => body.add(chunk));
    request.once("end", () => body.end());
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
