/**
 * HTTP to a model's provider. A `fetch` for its SDK that leaves the body of an answer what it is, a Node stream, and a
 * reader that calls back for each event in the turn in which its bytes come: beside `fetch` and its web streams, which
 * make several promises a token, an answer takes half the CPU.
 *
 * No time limits: the caller's signal ends a request at any time, at once. Redirects are not followed: the key is meant
 * for the server that was named. Compression is not asked for.
 */
import { Agent, type ClientRequest, request as plainRequest, type IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { ModelError } from "../ports/model.ts";
import { createSseDecoder } from "./sse.ts";

export interface HttpStreams {
  /**
   * As `fetch`, of a request whose body is a string. The Response of a failure holds the beginning of its body; of any
   * other only the head: `bodyOf` has the rest, to be read or destroyed.
   */
  fetch(url: string | URL | Request, init?: RequestInit): Promise<Response>;
  bodyOf(response: Response): IncomingMessage | undefined;
  /** Ends all connections. */
  close(): void;
}

export interface HttpStreamOptions {
  /** Lower case; other headers are not sent. Default: all are. */
  readonly headers?: readonly string[];
}

/** Connections without a request are kept so long; a provider that says less is believed. */
const IDLE_MS = 30_000;
const IDLE_CONNECTIONS = 256;
/** Bytes of the body of a failure. */
const FAILURE_BYTES = 64 * 1024;

export function createHttpStreams({ headers }: HttpStreamOptions = {}): HttpStreams {
  const options = { keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS, timeout: IDLE_MS };
  const plain = new Agent(options);
  const tls = new TlsAgent(options);
  const bodies = new WeakMap<Response, IncomingMessage>();

  async function fetch(target: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const url = new URL(target instanceof Request ? target.url : target);
    const sent = [...new Headers(init.headers)].filter(([name]) => headers?.includes(name) ?? true);
    const { body, method = "GET", signal } = init;
    if (body !== undefined && body !== null && typeof body !== "string") throw new TypeError("the body is no string");
    const secure = url.protocol === "https:";
    const outgoing = {
      method,
      headers: {
        ...Object.fromEntries(sent),
        ...(typeof body === "string" && { "content-length": Buffer.byteLength(body) }),
      },
    };
    const send = (agent: Agent | false) =>
      exchange(
        (secure ? tlsRequest : plainRequest)(url, { ...outgoing, agent }),
        body ?? undefined,
        signal ?? undefined,
      );
    const incoming = await send(secure ? tls : plain).catch((error: unknown) => {
      if (!(error instanceof StaleConnection)) throw error;
      return send(false);
    });
    const status = incoming.statusCode ?? 0;
    const good = status >= 200 && status < 300;
    const failure = good ? null : await readText(incoming, FAILURE_BYTES, signal ?? undefined);
    const head = new Headers();
    for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
      head.append(incoming.rawHeaders[i] ?? "", incoming.rawHeaders[i + 1] ?? "");
    }
    const response = new Response(failure, { status, headers: head });
    if (good) bodies.set(response, incoming);
    return response;
  }

  return {
    fetch,
    bodyOf: (response) => bodies.get(response),
    close() {
      plain.destroy();
      tls.destroy();
    },
  };
}

/**
 * A connection that was kept from an earlier request, and that its server gave up while it was idle; this process saw
 * it only when it wrote. The request goes over a new connection, once: a matter of the connection, not of the provider,
 * so that whoever decides about retries hears nothing of it.
 */
class StaleConnection extends Error {
  override readonly name = "StaleConnection";
}

const isStale = (request: ClientRequest, error: NodeJS.ErrnoException): boolean =>
  request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");

/** Sends the request; resolves with the head of the answer. */
function exchange(
  request: ClientRequest,
  body: string | undefined,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      request.destroy();
      reject(abortError());
    };
    const settled = () => signal?.removeEventListener("abort", abort);
    request.on("response", (incoming) => {
      settled();
      resolve(incoming);
    });
    request.on("error", (error) => {
      settled();
      reject(isStale(request, error) ? new StaleConnection("the connection was closed", { cause: error }) : error);
    });
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort, { once: true });
    request.end(body);
  });
}

const abortError = (): Error => new DOMException("The request was aborted.", "AbortError");

/** The beginning of a body, up to so many bytes; what comes behind is not waited for. */
export function readText(body: IncomingMessage, maxBytes: number, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const abort = () => {
      body.destroy();
      reject(abortError());
    };
    const finish = () => {
      signal?.removeEventListener("abort", abort);
      resolve(Buffer.concat(chunks, Math.min(size, maxBytes)).toString("utf8"));
    };
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort, { once: true });
    body.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= maxBytes) body.destroy();
    });
    // A body that breaks off is told as far as it came.
    body.on("error", finish);
    body.on("close", finish);
  });
}

/** After an event: the answer goes on; it is whole, but something may follow; nothing more is of use. */
export type Appetite = "more" | "tail" | "done";

/** `cut`: the connection broke. `end`: the body ended as it should, whatever was in it. */
export type StreamEnd = "done" | "end" | "cut" | "aborted";

/** What follows a whole answer (its usage, an end mark) is waited for so long, each time. */
const TAIL_MS = 2_000;
/** A connection whose body goes on behind `done` is given up after this. */
const DRAIN_MS = 1_000;
/** UTF-16 units of a body that is no event stream. */
const MAX_WHOLE = 8 * 1024 * 1024;

/**
 * Calls `take` for each event of the body; for a body that is JSON, once with all of it. Rejects with what `take`
 * throws, and with a `ModelError` when an event is too long. From the abort on `take` is not called.
 */
export function readEvents(
  body: IncomingMessage,
  signal: AbortSignal,
  take: (data: string, event: string) => Appetite,
): Promise<StreamEnd> {
  return new Promise((resolve, reject) => {
    let open = true;
    let tail: NodeJS.Timeout | undefined;
    let whole: string | undefined;
    let begun = false;

    const decoder = createSseDecoder((data, event) => {
      if (open) taken(take(data, event));
    });

    function taken(appetite: Appetite): void {
      if (!open || appetite === "more") return;
      if (appetite === "done") return settle("done");
      if (tail === undefined) tail = setTimeout(() => settle("done"), TAIL_MS);
      else tail.refresh();
    }

    function settle(end: StreamEnd): void {
      if (!leave(end === "done")) return;
      resolve(end === "cut" && tail !== undefined ? "done" : end);
    }

    function fail(error: unknown): void {
      if (leave(false)) reject(error);
    }

    /** False when it was left before. */
    function leave(drain: boolean): boolean {
      if (!open) return false;
      open = false;
      clearTimeout(tail);
      signal.removeEventListener("abort", abort);
      body.off("data", read).off("end", finish);
      if (drain) giveBack(body);
      else body.destroy();
      return true;
    }

    function read(piece: string): void {
      try {
        if (!begun) {
          const start = piece.trimStart();
          begun = start !== "";
          if (start.startsWith("{")) whole = "";
        }
        if (whole === undefined) decoder.push(piece);
        else if ((whole += piece).length > MAX_WHOLE) {
          throw new ModelError("transport", "The model's answer is too long.");
        }
      } catch (error) {
        fail(error);
      }
    }

    function finish(): void {
      try {
        if (whole === undefined) decoder.end();
        else if (open) taken(take(whole, ""));
        settle("end");
      } catch (error) {
        fail(error);
      }
    }

    function abort(): void {
      settle("aborted");
    }

    body.on("error", () => settle("cut"));
    body.on("close", () => settle("cut"));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    body.setEncoding("utf8");
    body.on("data", read).on("end", finish);
  });
}

/** Reads to the end, so that the connection can serve again; unless that takes too long. */
function giveBack(body: IncomingMessage): void {
  if (body.readableEnded || body.destroyed) return;
  const timer = setTimeout(() => body.destroy(), DRAIN_MS);
  body.on("close", () => clearTimeout(timer));
  body.resume();
}
