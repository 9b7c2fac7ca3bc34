/**
 * The cheapest WebSocket client that is still one (RFC 6455): it counts and hands out text frames and sends masked
 * ones. A load generator must cost less than what it measures, and a library would decode what we only count.
 */
import { connect, type Socket } from "node:net";

/** Receives one whole text frame's payload. The buffer is only valid during the call. */
export type OnFrame = (payload: Buffer) => void;

export class WsSocket {
  onFrame: OnFrame = () => {};
  onClose: () => void = () => {};
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, rest: Buffer) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("close", () => this.onClose());
    socket.on("error", () => socket.destroy());
    if (rest.length > 0) queueMicrotask(() => this.#read(rest));
  }

  /** `localAddress` lets one machine open more connections than one address has ports. */
  static open(port: number, localAddress = "127.0.0.1", timeoutMs = 10_000): Promise<WsSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", localAddress, noDelay: true });
      let head = Buffer.alloc(0);
      const fail = (error: Error) => {
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(() => fail(new Error("the upgrade took too long")), timeoutMs);
      socket.once("error", fail);
      const onData = (chunk: Buffer) => {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        clearTimeout(timer);
        socket.off("data", onData);
        socket.off("error", fail);
        const status = head.subarray(0, head.indexOf("\r\n")).toString();
        if (!status.startsWith("HTTP/1.1 101")) return fail(new Error(`the upgrade was refused: ${status}`));
        resolve(new WsSocket(socket, head.subarray(end + 4)));
      };
      socket.on("data", onData);
      socket.write(
        `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: parley.v1\r\n\r\n",
      );
    });
  }

  send(text: string): void {
    const payload = Buffer.from(text);
    const long = payload.length > 125;
    const frame = Buffer.alloc((long ? 8 : 6) + payload.length);
    frame[0] = 0x81;
    frame[1] = 0x80 | (long ? 126 : payload.length);
    if (long) frame.writeUInt16BE(payload.length, 2);
    // The masking key is four zero bytes: valid, and masking with it is a copy.
    payload.copy(frame, long ? 8 : 6);
    this.#socket.write(frame);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      if (data.length - at < 2) break;
      let length = (data[at + 1] ?? 0) & 0x7f;
      let head = 2;
      if (length === 126) {
        if (data.length - at < 4) break;
        length = data.readUInt16BE(at + 2);
        head = 4;
      } else if (length === 127) {
        if (data.length - at < 10) break;
        length = Number(data.readBigUInt64BE(at + 2));
        head = 10;
      }
      if (data.length - at < head + length) break;
      if (((data[at] ?? 0) & 0x0f) === 1) this.onFrame(data.subarray(at + head, at + head + length));
      at += head + length;
    }
    this.#rest = at === data.length ? Buffer.alloc(0) : data.subarray(at);
  }
}
