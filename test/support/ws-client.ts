import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/**
 * A WebSocket client on a bare TCP socket, for what a well-behaved one can't do: fragments, binary and oversize frames,
 * frames of its own making, a reader that stops, a half-closed and a reset connection. It answers pings unless told
 * not to.
 */
export interface WsOptions {
  readonly port: number;
  readonly host?: string;
  readonly path?: string;
  /** Header lines besides the handshake's own; a value of undefined leaves one of those out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly answerPings?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** The server answered the upgrade with something else. */
export class UpgradeRefused extends Error {
  readonly answer: HttpAnswer;

  constructor(answer: HttpAnswer) {
    super(`the upgrade was answered ${answer.status}: ${answer.body}`);
    this.answer = answer;
  }
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** One frame as a client must send it: masked. */
export function encodeFrame(opcode: number, payload: Uint8Array | string, fin = true): Buffer {
  const body = Buffer.from(payload);
  const mask = randomBytes(4);
  const length = body.length;
  const head =
    length < 126
      ? Buffer.from([0, 0x80 | length])
      : length < 65_536
        ? Buffer.from([0, 0x80 | 126, length >> 8, length & 0xff])
        : Buffer.concat([Buffer.from([0, 0x80 | 127]), bigEndian64(length)]);
  head[0] = (fin ? 0x80 : 0) | opcode;
  for (let i = 0; i < length; i++) body[i] = (body[i] ?? 0) ^ (mask[i % 4] ?? 0);
  return Buffer.concat([head, mask, body]);
}

function bigEndian64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(value));
  return buffer;
}

/** Opens a socket; rejects with `UpgradeRefused` when the server does not switch protocols. */
export async function wsConnect(options: WsOptions): Promise<WsClient> {
  const socket = connect({ port: options.port, host: options.host ?? "127.0.0.1" });
  await once(socket, "connect");
  const key = randomBytes(16).toString("base64");
  const headers: Record<string, string | undefined> = {
    Host: `${options.host ?? "127.0.0.1"}:${options.port}`,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": key,
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "parley.v1",
    ...options.headers,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  socket.write(`GET ${options.path ?? "/ws"} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);

  let received = Buffer.alloc(0);
  let end = -1;
  while (end === -1) {
    const chunk = await nextChunk(socket);
    if (chunk === undefined) throw new Error("the server closed the connection during the handshake");
    received = Buffer.concat([received, chunk]);
    end = received.indexOf("\r\n\r\n");
  }
  const answer = parseHead(received.subarray(0, end).toString("latin1"));
  let rest = received.subarray(end + 4);
  if (answer.status !== 101) {
    const length = Number(answer.headers.get("content-length") ?? 0);
    while (rest.length < length) {
      const chunk = await nextChunk(socket);
      if (chunk === undefined) break;
      rest = Buffer.concat([rest, chunk]);
    }
    socket.destroy();
    throw new UpgradeRefused({ ...answer, body: rest.toString("utf8") });
  }
  const expected = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  if (answer.headers.get("sec-websocket-accept") !== expected) throw new Error("the handshake's key is wrong");
  return new WsClient(socket, answer.headers.get("sec-websocket-protocol") ?? "", rest, options.answerPings ?? true);
}

async function nextChunk(socket: Socket): Promise<Buffer | undefined> {
  for (;;) {
    const chunk: Buffer | null = socket.read();
    if (chunk !== null) return chunk;
    if (socket.readableEnded || socket.destroyed) return undefined;
    await Promise.race([once(socket, "readable"), once(socket, "end"), once(socket, "close")]).catch(() => undefined);
  }
}

function parseHead(head: string): { readonly status: number; readonly headers: ReadonlyMap<string, string> } {
  const [first = "", ...lines] = head.split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(first.split(" ")[1]), headers };
}

export class WsClient {
  readonly socket: Socket;
  readonly protocol: string;
  /** Every text that arrived. */
  readonly texts: string[] = [];
  /** What the server's close frame said. */
  closeFrame: { readonly code: number; readonly reason: string } | undefined;
  /** Nothing comes any more: the TCP connection was ended or reset by the server. */
  ended = false;
  pings = 0;
  #pending: Buffer = Buffer.alloc(0);
  #message: Buffer[] = [];
  readonly #answerPings: boolean;

  constructor(socket: Socket, protocol: string, rest: Buffer, answerPings: boolean) {
    this.socket = socket;
    this.protocol = protocol;
    this.#answerPings = answerPings;
    socket.on("error", () => (this.ended = true));
    socket.on("end", () => (this.ended = true));
    socket.on("close", () => (this.ended = true));
    this.#take(rest);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
  }

  send(text: string): void {
    this.frame(OPCODE.text, text);
  }

  frame(opcode: number, payload: Uint8Array | string, fin = true): void {
    this.socket.write(encodeFrame(opcode, payload, fin));
  }

  /** One text message in several frames. */
  sendFragments(parts: readonly string[]): void {
    parts.forEach((part, i) => this.frame(i === 0 ? OPCODE.text : OPCODE.continuation, part, i === parts.length - 1));
  }

  /** A close frame; without a code its payload is empty. */
  close(code?: number, reason = ""): void {
    const payload = Buffer.from(`\0\0${reason}`);
    if (code !== undefined) payload.writeUInt16BE(code);
    this.frame(OPCODE.close, code === undefined ? "" : payload);
  }

  pauseReading(): void {
    this.socket.pause();
  }

  resumeReading(): void {
    this.socket.resume();
  }

  /** FIN: nothing more will be sent, everything is still read. */
  halfClose(): void {
    this.socket.end();
  }

  /** RST: the peer is gone, and says so. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const frame = decodeFrame(this.#pending);
      if (frame === undefined) return;
      this.#pending = this.#pending.subarray(frame.size);
      this.#handle(frame);
    }
  }

  #handle({ fin, opcode, payload }: Frame): void {
    switch (opcode) {
      case OPCODE.text:
      case OPCODE.continuation:
        this.#message.push(payload);
        if (!fin) return;
        this.texts.push(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(this.#message)));
        this.#message = [];
        return;
      case OPCODE.close:
        this.closeFrame =
          payload.length < 2
            ? { code: 1005, reason: "" }
            : { code: payload.readUInt16BE(), reason: payload.subarray(2).toString("utf8") };
        return;
      case OPCODE.ping:
        this.pings++;
        if (this.#answerPings) this.frame(OPCODE.pong, payload);
        return;
      case OPCODE.pong:
        return;
      default:
        throw new Error(`the server sent a frame with opcode ${opcode}`);
    }
  }
}

interface Frame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
  /** Bytes of the whole frame. */
  readonly size: number;
}

function decodeFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  if ((second & 0x80) !== 0) throw new Error("the server masked a frame");
  if ((first & 0x70) !== 0) throw new Error("the server used an extension that nobody asked for");
  const short = second & 0x7f;
  const head = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < head) return undefined;
  const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
  const size = head + length;
  if (bytes.length < size) return undefined;
  return { fin: (first & 0x80) !== 0, opcode: first & 0x0f, payload: bytes.subarray(head, size), size };
}
