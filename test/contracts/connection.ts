import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import type { Connection, ConnectionListener, SendOutcome } from "../../src/ports/connection.ts";
import { until as poll } from "../support/until.ts";

/**
 * The contract of src/ports/connection.ts, for every transport with a socket. A harness opens connections to a
 * listener and gives the peer's end of each.
 */
export interface Peer {
  send(text: string): void;
  sendBinary(bytes: Uint8Array): void;
  /** One message in several frames, where the transport has such a thing. */
  sendFragments(parts: readonly string[]): void;
  close(code: number, reason: string): void;
  /** The peer's process or network is gone. */
  vanish(): void;
  pauseReading(): void;
  resumeReading(): void;
  readonly texts: readonly string[];
  readonly closeCode: number | undefined;
  /** Nothing can come any more. */
  readonly ended: boolean;
}

export interface Harness {
  connect(headers?: { readonly cookie?: string; readonly "user-agent"?: string }): Promise<Peer>;
  /** Lets things happen, where nothing moves by itself. */
  tick(): void;
  stop(): Promise<void>;
}

/** Frames above this are refused by the transport itself. */
const TRANSPORT_LIMIT = 1024 * 1024;

type Call = "open" | "message" | "drain" | "close";

/** Records what a listener is told, and lets a test answer. */
class Recorder implements ConnectionListener {
  readonly calls: Call[] = [];
  readonly messages: string[] = [];
  readonly codes: number[] = [];
  readonly connections: Connection[] = [];
  onOpen: (connection: Connection) => void = () => {};
  onMessage: (connection: Connection, text: string) => void = () => {};
  onDrain: (connection: Connection) => void = () => {};
  onClose: (connection: Connection) => void = () => {};

  open(connection: Connection): void {
    this.calls.push("open");
    this.connections.push(connection);
    this.onOpen(connection);
  }
  message(connection: Connection, text: string): void {
    this.calls.push("message");
    this.messages.push(text);
    this.onMessage(connection, text);
  }
  drain(connection: Connection): void {
    this.calls.push("drain");
    this.onDrain(connection);
  }
  close(connection: Connection, code: number): void {
    this.calls.push("close");
    this.codes.push(code);
    this.onClose(connection);
  }
  get last(): Connection {
    const connection = this.connections.at(-1);
    assert.ok(connection, "nobody is connected");
    return connection;
  }
}

export function connectionContract(name: string, start: (listener: ConnectionListener) => Promise<Harness>): void {
  describe(`Connection contract: ${name}`, () => {
    let harness: Harness | undefined;
    const begin = async () => {
      const recorder = new Recorder();
      harness = await start(recorder);
      return { recorder, connect: harness.connect.bind(harness) };
    };
    const until = (condition: () => boolean, what: string) =>
      poll(() => {
        harness?.tick();
        return condition();
      }, what);
    afterEach(async () => {
      await harness?.stop();
      harness = undefined;
    });
    const big = "x".repeat(60_000);

    /** Sends until the peer's kernel takes no more. */
    function fill(connection: Connection): { sent: string[]; outcome: SendOutcome } {
      const sent: string[] = [];
      for (let i = 0; ; i++) {
        assert.ok(i < 2000, "the peer's kernel takes everything");
        const frame = `${i} ${big}`;
        const outcome = connection.send(frame);
        if (outcome !== "closed") sent.push(frame);
        if (outcome !== "sent") return { sent, outcome };
      }
    }

    test("frames arrive whole and in order, both ways", async () => {
      const { recorder, connect } = await begin();
      recorder.onMessage = (connection, text) => connection.send(`echo ${text}`);
      const peer = await connect();
      const texts = Array.from({ length: 300 }, (_, i) => `${i} ${"é😀".repeat(i)}`);
      for (const text of texts) peer.send(text);
      await until(() => peer.texts.length === texts.length, "the echoes");
      assert.deepEqual(recorder.messages, texts);
      assert.deepEqual(
        peer.texts,
        texts.map((text) => `echo ${text}`),
      );
    });

    test("text is text: empty, NUL, byte order mark, edges of UTF-8, and large", async () => {
      const { recorder, connect } = await begin();
      const peer = await connect();
      const texts = ["", "\0", "\uFEFFbom", "\u007F\u0080\u07FF\u0800\uFFFF\u{10000}\u{10FFFF}", "z".repeat(700_000)];
      for (const text of texts) peer.send(text);
      await until(() => recorder.messages.length === texts.length, "the messages");
      assert.deepEqual(recorder.messages, texts);
    });

    test("a fragmented message is one message", async () => {
      const { recorder, connect } = await begin();
      const peer = await connect();
      peer.sendFragments(["one ", "", "two ", "three"]);
      await until(() => recorder.messages.length > 0, "the message");
      assert.deepEqual(recorder.messages, ["one two three"]);
    });

    test("[L8] bytes are UTF-8 text, and are copied", async () => {
      const { recorder, connect } = await begin();
      const peer = await connect();
      await until(() => recorder.calls.length > 0, "the open");
      const bytes = new TextEncoder().encode("grüße 😀");
      recorder.last.send(bytes);
      bytes.fill(0);
      await until(() => peer.texts.length === 1, "the frame");
      assert.deepEqual(peer.texts, ["grüße 😀"]);
    });

    test("what is known of the peer", async () => {
      const { recorder, connect } = await begin();
      await connect({ cookie: "a=b; parley_session=secret-1; c=d", "user-agent": "u".repeat(300) });
      await connect();
      await until(() => recorder.connections.length === 2, "both");
      const [first, second] = recorder.connections;
      assert.ok(first && second);
      assert.equal(first.cookieToken, "secret-1");
      assert.equal(first.userAgent, "u".repeat(200));
      assert.equal(first.remoteAddress, "127.0.0.1");
      assert.equal(second.cookieToken, undefined);
      assert.notEqual(first.id, second.id);
    });

    test("a cork keeps the order and runs even when closed", async () => {
      const { recorder, connect } = await begin();
      const peer = await connect();
      await until(() => recorder.calls.length > 0, "the open");
      const connection = recorder.last;
      connection.send("0");
      connection.cork(() => {
        connection.send("1");
        connection.cork(() => connection.send("2"));
        connection.send("3");
      });
      connection.send("4");
      await until(() => peer.texts.length === 5, "five frames");
      assert.deepEqual(peer.texts, ["0", "1", "2", "3", "4"]);
      connection.close(4001, "bye");
      const outcomes: SendOutcome[] = [];
      connection.cork(() => outcomes.push(connection.send("5")));
      assert.deepEqual(outcomes, ["closed"]);
    });

    test("an error inside of a cork reaches whoever corked", async () => {
      const { recorder, connect } = await begin();
      const peer = await connect();
      await until(() => recorder.calls.length > 0, "the open");
      const connection = recorder.last;
      const cork = () =>
        connection.cork(() => {
          connection.send("before");
          throw new Error("inside");
        });
      assert.throws(cork, /inside/);
      connection.send("after");
      await until(() => peer.texts.length === 2, "both frames");
      assert.deepEqual(peer.texts, ["before", "after"]);
    });

    test("[W8] close sends what was sent before, then the code; the listener hears of it at once, once, last", async () => {
      const { recorder, connect } = await begin();
      const peer = await connect();
      await until(() => recorder.calls.length > 0, "the open");
      const connection = recorder.last;
      connection.send("last words");
      connection.close(4001, "draining");
      assert.deepEqual(recorder.calls, ["open", "close"]);
      connection.close(4008, "again");
      assert.equal(connection.send("too late"), "closed");
      assert.equal(connection.bufferedBytes, 0);
      peer.send("nobody listens");
      await until(() => peer.closeCode !== undefined, "the close frame");
      await until(() => peer.ended, "the end");
      assert.deepEqual(peer.texts, ["last words"]);
      assert.equal(peer.closeCode, 4001);
      assert.deepEqual(recorder.codes, [4001]);
      assert.deepEqual(recorder.calls, ["open", "close"]);
    });

    for (const where of ["open", "message", "drain", "cork"] as const) {
      test(`close may be called inside of ${where}`, async () => {
        const { recorder, connect } = await begin();
        const close = (connection: Connection) => connection.close(4500, where);
        if (where === "open") recorder.onOpen = close;
        if (where === "message") recorder.onMessage = close;
        if (where === "drain") recorder.onDrain = close;
        if (where === "cork") recorder.onMessage = (connection) => connection.cork(() => close(connection));
        const peer = await connect();
        await until(() => recorder.calls.length > 0, "the open");
        if (where === "drain") {
          peer.pauseReading();
          assert.equal(fill(recorder.last).outcome, "buffered");
          peer.resumeReading();
        } else if (where !== "open") peer.send("go");
        await until(() => peer.ended, "the end");
        assert.equal(peer.closeCode, 4500);
        assert.deepEqual(recorder.codes, [4500]);
        assert.equal(recorder.calls.at(-1), "close");
      });
    }

    test("sending inside of close answers closed", async () => {
      const { recorder, connect } = await begin();
      const outcomes: SendOutcome[] = [];
      recorder.onClose = (connection) => {
        outcomes.push(connection.send("x"));
        connection.close(4000, "x");
      };
      const peer = await connect();
      await until(() => recorder.calls.length > 0, "the open");
      peer.close(1000, "");
      await until(() => recorder.codes.length > 0, "the close");
      assert.deepEqual(outcomes, ["closed"]);
      assert.deepEqual(recorder.codes, [1000]);
    });

    test("the peer's close code is reported, and answered", async () => {
      const { recorder, connect } = await begin();
      const peer = await connect();
      peer.send("one");
      peer.close(4123, "done");
      await until(() => recorder.codes.length > 0 && peer.ended, "the close");
      assert.deepEqual(recorder.calls, ["open", "message", "close"]);
      assert.deepEqual(recorder.codes, [4123]);
      assert.equal(peer.closeCode, 4123);
    });

    test("a peer that vanishes is a 1006", async () => {
      const { recorder, connect } = await begin();
      const peer = await connect();
      await until(() => recorder.calls.length > 0, "the open");
      peer.vanish();
      await until(() => recorder.codes.length > 0, "the close");
      assert.deepEqual(recorder.codes, [1006]);
      assert.equal(recorder.last.send("x"), "closed");
    });

    test("a binary frame closes with 4501 and is not delivered", async () => {
      const { recorder, connect } = await begin();
      const peer = await connect();
      peer.sendBinary(new TextEncoder().encode('{"jsonrpc":"2.0"}'));
      peer.send("after");
      await until(() => peer.ended, "the end");
      assert.equal(peer.closeCode, 4501);
      assert.deepEqual(recorder.calls, ["open", "close"]);
      assert.deepEqual(recorder.codes, [4501]);
    });

    test("[W11] a frame above the transport's limit drops the connection; the largest is delivered", async () => {
      const { recorder, connect } = await begin();
      const peer = await connect();
      peer.send("x".repeat(TRANSPORT_LIMIT));
      await until(() => recorder.messages.length > 0, "the largest frame");
      assert.equal(recorder.messages[0]?.length, TRANSPORT_LIMIT);
      peer.send("x".repeat(TRANSPORT_LIMIT + 1));
      await until(() => recorder.codes.length > 0 && peer.ended, "the close");
      assert.equal(recorder.messages.length, 1);
      assert.deepEqual(recorder.codes, [1006]);
    });

    test("[L7] a peer that stops reading: buffered, then drain, and nothing is lost", async () => {
      const { recorder, connect } = await begin();
      const peer = await connect();
      await until(() => recorder.calls.length > 0, "the open");
      const connection = recorder.last;
      assert.equal(connection.bufferedBytes, 0);
      peer.pauseReading();
      const { sent, outcome } = fill(connection);
      assert.equal(outcome, "buffered");
      const before = connection.bufferedBytes;
      assert.ok(before > 0);
      connection.send(`last ${big}`);
      assert.ok(connection.bufferedBytes >= before + big.length);
      peer.resumeReading();
      await until(() => connection.bufferedBytes === 0, "the buffer to fall");
      assert.ok(recorder.calls.includes("drain"));
      await until(() => peer.texts.length === sent.length + 1, "the frames");
      assert.deepEqual(peer.texts.slice(0, -1), sent);
      assert.equal(connection.send("small"), "sent");
    });

    test("[PITFALLS 8] a lost frame is the end: nothing follows it, and the listener hears of it later", async () => {
      const { recorder, connect } = await begin();
      const peer = await connect();
      await until(() => recorder.calls.length > 0, "the open");
      const connection = recorder.last;
      peer.pauseReading();
      const sent = fill(connection).sent;
      let outcome: SendOutcome = "buffered";
      for (let i = 0; outcome === "buffered"; i++) {
        assert.ok(i < 1000, "there is no hard limit");
        outcome = connection.send(`more ${i} ${big}`);
        if (outcome === "buffered") sent.push(`more ${i} ${big}`);
      }
      assert.equal(outcome, "closed");
      assert.deepEqual(recorder.calls, ["open"], "send itself calls nobody");
      assert.equal(connection.send("small"), "closed");
      await until(() => recorder.codes.length > 0, "the close");
      assert.deepEqual(recorder.codes, [1006]);
      peer.resumeReading();
      await until(() => peer.ended, "the end");
      assert.deepEqual(peer.texts, sent.slice(0, peer.texts.length));
    });

    test("closing after a lost frame drops the connection without a code", async () => {
      const { recorder, connect } = await begin();
      const peer = await connect();
      await until(() => recorder.calls.length > 0, "the open");
      const connection = recorder.last;
      peer.pauseReading();
      for (let i = 0; connection.send(big) !== "closed"; i++) assert.ok(i < 5000, "there is no hard limit");
      connection.close(4008, "too slow");
      assert.deepEqual(recorder.codes, [1006]);
      peer.resumeReading();
      await until(() => peer.ended, "the end");
      assert.equal(peer.closeCode === 4008, false);
      assert.deepEqual(recorder.calls, ["open", "close"]);
    });
  });
}
