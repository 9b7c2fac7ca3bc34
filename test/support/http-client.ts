import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { HttpAnswer } from "./ws-client.ts";

/** Raw HTTP/1.1 on one TCP connection, for requests that no client library would send. */
export class HttpClient {
  readonly socket: Socket;
  ended = false;
  #received = Buffer.alloc(0) as Buffer;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
    for (const event of ["end", "close", "error"]) socket.on(event, () => (this.ended = true));
  }

  write(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** One request: the Host line is added, other headers are `lines`. */
  request(method: string, path: string, lines: readonly string[] = [], body = ""): void {
    this.write([`${method} ${path} HTTP/1.1`, "Host: 127.0.0.1", ...lines, "", body].join("\r\n"));
  }

  /** The next answer; without a body where the request or the status has none. */
  async answer(options: { readonly head?: boolean } = {}, ms = 10_000): Promise<HttpAnswer> {
    const deadline = performance.now() + ms;
    for (;;) {
      const parsed = parse(this.#received, options.head ?? false);
      if (parsed !== undefined) {
        this.#received = this.#received.subarray(parsed.size);
        return parsed.answer;
      }
      if (this.ended) throw new Error(`the connection ended after ${this.#received.length} bytes`);
      if (performance.now() > deadline) throw new Error(`no answer within ${ms} ms`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  get receivedBytes(): number {
    return this.#received.length;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

export async function httpConnect(port: number): Promise<HttpClient> {
  const socket = connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  return new HttpClient(socket);
}

function parse(bytes: Buffer, isHead: boolean): { readonly answer: HttpAnswer; readonly size: number } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (headers.has(name)) throw new Error(`the header ${name} came twice`);
    headers.set(name, line.slice(colon + 1).trim());
  }
  const status = Number(first.split(" ")[1]);
  const bodiless = isHead || status === 304 || status === 204;
  const length = bodiless ? 0 : Number(headers.get("content-length"));
  if (Number.isNaN(length)) throw new Error("an answer without Content-Length");
  const size = end + 4 + length;
  if (bytes.length < size) return undefined;
  return { answer: { status, headers, body: bytes.subarray(end + 4, size).toString("utf8") }, size };
}
