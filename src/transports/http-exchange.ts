/** What becomes of a request once it is read, whichever server it came to: its body, its route, its one answer. */
import { errorAnswer } from "../gateway/http-answer.ts";
import type { HttpRequest, HttpResponse, HttpRoute } from "../ports/http.ts";
import { ParleyError } from "../protocol/errors.ts";
import { type HttpOptions, tooLarge } from "./http-limits.ts";

/** `close`: what is left of the request is not worth reading. */
type WriteAnswer = (answer: HttpResponse, close: boolean) => void;

/** One request and its answer: finished once, by the route, by a limit, or by the client that leaves. */
export class HttpExchange {
  readonly #options: HttpOptions;
  readonly #write: WriteAnswer;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined = undefined;
  #done = false;

  constructor(options: HttpOptions, write: WriteAnswer) {
    this.#options = options;
    this.#write = write;
  }

  /** The native response must not be touched any more. */
  get done(): boolean {
    return this.#done;
  }

  /** Aborted when the client leaves, or after the time of the route. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The client has gone, or has its answer. */
  left(): void {
    if (this.#done) return;
    this.#done = true;
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  /** Reads the body in `add` and `end`, up to what the route takes and within its time; then runs the route. */
  body(route: HttpRoute, head: Omit<HttpRequest, "body">): { add(chunk: Uint8Array): void; end(): void } {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const slow = new ParleyError("TIMEOUT", { message: "The request's body took too long to arrive." });
    this.#limit(this.#options.limits.bodyMs, errorAnswer(slow, 408));
    return {
      add: (chunk) => {
        if (this.#done) return;
        size += chunk.byteLength;
        if (size > route.maxBody) return this.finish(errorAnswer(tooLarge(route)), true);
        chunks.push(chunk);
      },
      end: () => {
        if (!this.#done) this.run(route, { ...head, body: Buffer.concat(chunks, size) });
      },
    };
  }

  run(route: HttpRoute, request: HttpRequest): void {
    const fail = (cause: unknown) => {
      if (cause instanceof ParleyError) return this.finish(errorAnswer(cause));
      // A route that gives up because the client has is no bug.
      if (this.signal.aborted) return;
      this.#options.metrics.bug();
      this.#options.log.error({ err: cause, method: request.method, path: request.path }, "an HTTP route failed");
      this.finish(errorAnswer(new ParleyError("INTERNAL")));
    };
    try {
      const answer = route.handle(request);
      if (!(answer instanceof Promise)) return this.finish(answer);
      this.#limit(this.#options.limits.handleMs, errorAnswer(new ParleyError("TIMEOUT")));
      answer.then((value) => this.finish(value), fail).catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  finish(answer: HttpResponse, close = false): void {
    if (this.#done) return;
    this.#done = true;
    clearTimeout(this.#timer);
    this.#write(answer, close);
  }

  /** Answers with this when nothing else has by then. Replaces an earlier limit. */
  #limit(ms: number, answer: HttpResponse): void {
    if (this.#done) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.finish(answer, true);
      this.#abort.abort();
    }, ms);
  }
}
