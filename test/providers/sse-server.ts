/**
 * A model provider's HTTP server for tests: real sockets, scripted answers. One script serves the requests in their order;
 * `streamed`, `failed` and `dropped` make most replies.
 *
 *   const provider = await startProvider([streamed(sse([{ data: "{}" }]), { splitAt: [3] }), failed(529, "{}")]);
 *   … the SDK under test talks to provider.url …
 *   assert.deepEqual(provider.requests[0]?.body, { … });
 *   await provider.close();
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";

/** What happens next on a connection whose headers are sent. After the last step the body ends as it should. */
export type Step =
  /** One chunk of the body; a client in this process reads it before the next is sent, as a chunk of its own. */
  | { readonly send: string | Uint8Array }
  /** Goes on after so many ms, or when the promise resolves; a function is called when its turn comes. */
  | { readonly wait: number | Promise<unknown> | (() => Promise<unknown>) }
  /** The connection closes, behind what was sent: the body has no end. */
  | { readonly end: "cut" }
  /** Says nothing more until the client goes. */
  | { readonly end: "stall" };

export interface Reply {
  readonly status?: number;
  /** Default: an event stream. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `dropped`: the socket is reset before there is a status; `mute`: nothing ever comes, not even that. */
  readonly steps: readonly Step[] | "dropped" | "mute";
}

/** A reply for each request, in order, or a function that chooses. Requests beyond the script get status 599. */
export type Script = readonly Reply[] | ((request: RecordedRequest, index: number) => Reply);

export interface RecordedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** The client's: the same for requests of one connection. */
  readonly port: number | undefined;
  /** Parsed JSON; undefined when there was none. */
  readonly body: unknown;
  /** Did the client go before the reply was whole? */
  abandoned: boolean;
  /** Has the reply been sent to its end? */
  finished: boolean;
}

export interface Provider {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** In the order in which their bodies were whole. */
  readonly requests: readonly RecordedRequest[];
  close(): Promise<void>;
}

export interface SseEvent {
  readonly event?: string;
  /** Of several lines, each is a `data:` of its own. */
  readonly data: string;
}

/** Text of an event stream. A string among the events stands as it is: a comment, a ping, something malformed. */
export function sse(events: readonly (SseEvent | string)[], lineEnd: "\n" | "\r\n" | "\r" = "\n"): string {
  let text = "";
  for (const item of events) {
    if (typeof item === "string") {
      text += item.replaceAll("\n", lineEnd);
      continue;
    }
    if (item.event !== undefined) text += `event: ${item.event}${lineEnd}`;
    for (const line of item.data.split("\n")) text += `data: ${line}${lineEnd}`;
    text += lineEnd;
  }
  return text;
}

/** Cuts after these numbers of bytes, in any order; those outside of the body do not count. */
export function split(body: string | Uint8Array, splitAt: readonly number[]): Uint8Array[] {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const inside = splitAt.filter((at) => at > 0 && at < bytes.length);
  const points = [0, ...new Set(inside.toSorted((a, b) => a - b)), bytes.length];
  return points.slice(1).map((end, index) => bytes.subarray(points[index], end));
}

export interface StreamOptions {
  /** Byte positions at which the body is cut into chunks; "each" makes every byte its own. Default: one chunk. */
  readonly splitAt?: readonly number[] | "each";
  /** Pause before each chunk but the first. */
  readonly dripMs?: number;
  /** Default: the body ends as it should. */
  readonly end?: "cut" | "stall";
  readonly headers?: Readonly<Record<string, string>>;
}

/** A reply of status 200 whose body is an event stream. */
export function streamed(body: string | Uint8Array, options: StreamOptions = {}): Reply {
  const { splitAt = [], dripMs = 0, end, headers } = options;
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const steps: Step[] = [];
  for (const chunk of split(bytes, splitAt === "each" ? [...bytes.keys()] : splitAt)) {
    if (dripMs > 0 && steps.length > 0) steps.push({ wait: dripMs });
    steps.push({ send: chunk });
  }
  if (end !== undefined) steps.push({ end });
  return { steps, ...(headers && { headers }) };
}

/** A plain error; an object becomes JSON. */
export function failed(status: number, body: string | object, headers: Readonly<Record<string, string>> = {}): Reply {
  const json = typeof body === "string" ? body : JSON.stringify(body);
  return { status, headers: { "content-type": "application/json", ...headers }, steps: [{ send: json }] };
}

/** The connection breaks before there is an answer. */
export const dropped: Reply = { steps: "dropped" };

const unscripted = failed(599, { error: { message: "the script of this test has no such reply" } });
const TURNS_TO_READ = 3;
const REQUEST_BYTES = 64 * 1024 * 1024;

export async function startProvider(script: Script): Promise<Provider> {
  const requests: RecordedRequest[] = [];
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(incoming);
    const request: RecordedRequest = {
      method: incoming.method ?? "",
      path: incoming.url ?? "",
      headers: incoming.headers,
      port: incoming.socket.remotePort,
      body: body === "" ? undefined : JSON.parse(body),
      abandoned: false,
      finished: false,
    };
    const index = requests.push(request) - 1;
    const gone = Promise.withResolvers<void>();
    response.on("close", () => {
      request.abandoned = !request.finished;
      gone.resolve();
    });
    const reply = typeof script === "function" ? script(request, index) : (script[index] ?? unscripted);
    const finish = () => {
      request.finished = true;
    };
    await play(reply, response, gone.promise, finish);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the provider has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    if (!(chunk instanceof Buffer)) throw new Error("a request's body is bytes");
    chunks.push(chunk);
    size += chunk.length;
    if (size > REQUEST_BYTES) throw new Error("the request is too long for a test");
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** `finish` is called when nothing more will be sent on purpose. */
async function play(reply: Reply, response: ServerResponse, gone: Promise<void>, finish: () => void): Promise<void> {
  if (reply.steps === "dropped") {
    finish();
    response.socket?.resetAndDestroy();
    return;
  }
  if (reply.steps === "mute") return gone;
  response.socket?.setNoDelay(true);
  response.writeHead(reply.status ?? 200, { "content-type": "text/event-stream; charset=utf-8", ...reply.headers });
  response.flushHeaders();
  for (const step of reply.steps) {
    if (response.destroyed) return;
    if ("send" in step) {
      await Promise.race([write(response, step.send), gone]);
    } else if ("wait" in step) {
      await Promise.race([pause(step.wait), gone]);
    } else if (step.end === "cut") {
      // Not a reset: that would take back what the client has not read yet.
      finish();
      response.socket?.destroy();
      return;
    } else {
      return gone;
    }
  }
  finish();
  response.end();
}

function pause(wait: number | Promise<unknown> | (() => Promise<unknown>)): Promise<unknown> {
  if (typeof wait === "number") return sleep(wait, undefined, { ref: false });
  return typeof wait === "function" ? wait() : wait;
}

/**
 * Resolves when the bytes are with the system, so that a cut behind them does not overtake them, and this process has
 * had its turns to read them: `fetch` joins what it finds.
 */
async function write(response: ServerResponse, bytes: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve) => response.write(bytes, () => resolve()));
  for (let turn = 0; turn < TURNS_TO_READ; turn++) await nextTurn();
}
