import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { afterEach, describe, test } from "node:test";
import { promisify } from "node:util";
import { SECURITY_HEADERS } from "../../src/gateway/http-headers.ts";
import { originPolicy, upgradeGuard } from "../../src/gateway/origin.ts";
import type { Connection, ConnectionListener } from "../../src/ports/connection.ts";
import type { Transport, TransportHooks } from "../../src/ports/http.ts";
import { noMetrics } from "../../src/ports/metrics.ts";
import type { SocketOptions } from "../../src/transports/http-limits.ts";
import { httpConnect } from "../support/http-client.ts";
import { recordingLogger } from "../support/logger.fake.ts";
import { until } from "../support/until.ts";
import { OPCODE, UpgradeRefused, wsConnect, type WsClient, type WsOptions } from "../support/ws-client.ts";
import type { MakeTransport } from "./transport-http.ts";

export function transportServerContract(
  name: string,
  makeTransport: MakeTransport,
  module: string,
  exported: string,
): void {
  describe(name, () => {
    const open: Transport[] = [];
    const clients: WsClient[] = [];
    afterEach(async () => {
      for (const client of clients.splice(0)) client.destroy();
      for (const transport of open.splice(0)) await transport.close();
    });

    const silent: ConnectionListener = { open() {}, message() {}, drain() {}, close() {} };
    const hooks: TransportHooks = { routes: [], connections: silent, refuseUpgrade: () => undefined };

    function make(options: Partial<SocketOptions> = {}, more: Partial<TransportHooks> = {}): Transport {
      const defaults = { host: "127.0.0.1", port: 0, trustProxy: false, log: recordingLogger(), metrics: noMetrics };
      const transport = makeTransport({ ...defaults, ...options }, { ...hooks, ...more });
      open.push(transport);
      return transport;
    }

    async function dial(options: WsOptions): Promise<WsClient> {
      const client = await wsConnect(options);
      clients.push(client);
      return client;
    }

    async function refusal(options: WsOptions) {
      const outcome = await dial(options).catch((error: unknown) => error);
      assert.ok(outcome instanceof UpgradeRefused, `not refused: ${String(outcome)}`);
      for (const [name, value] of Object.entries(SECURITY_HEADERS))
        assert.equal(outcome.answer.headers.get(name), value);
      return outcome.answer;
    }
    const codeOf = (body: string) => (JSON.parse(body) as { error: { code: string } }).error.code;

    test("a port in use is refused with its number and what to do", async () => {
      const server = createServer();
      const port = await new Promise<number>((resolve) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address();
          resolve(typeof address === "object" && address !== null ? address.port : 0);
        });
      });
      await assert.rejects(make({ port }).listen(), (error: Error) => {
        assert.match(error.message, new RegExp(`Port ${port} of 127\\.0\\.0\\.1 is in use`));
        assert.match(error.message, /PARLEY_WS_PORT/);
        assert.equal(error.name, "StartError");
        return true;
      });
      await new Promise((resolve) => server.close(resolve));
      assert.equal(await make({ port }).listen(), port);
    });

    test("two servers can't share a port, not even in one process", async () => {
      const port = await make().listen();
      await assert.rejects(make({ port }).listen(), /is in use/);
      await assert.rejects(make({ port, host: "0.0.0.0" }).listen(), /is in use/);
    });

    test("an address that is not this machine's is named", async () => {
      await assert.rejects(
        make({ host: "192.0.2.1" }).listen(),
        /192\.0\.2\.1 is no address of this machine.*PARLEY_WS_HOST/,
      );
      await assert.rejects(make({ host: "no-such-host.invalid" }).listen(), /PARLEY_WS_HOST/);
    });

    test("IPv6 loopback", async () => {
      let address = "";
      const connections = { ...silent, open: (connection: Connection) => void (address = connection.remoteAddress) };
      const transport = make({ host: "::1" }, { connections });
      const port = await transport.listen();
      await dial({ port, host: "::1" });
      await until(() => address !== "", "the connection");
      assert.equal(address, "::1");
    });

    const protocols: readonly (readonly [offered: string | undefined, selected: string | undefined])[] = [
      ["parley.v1", "parley.v1"],
      ["other, parley.v1", "parley.v1"],
      ["parley.v1,other", "parley.v1"],
      [undefined, ""],
      ["other", undefined],
      ["parley.v2, PARLEY.V1", undefined],
    ];
    for (const [offered, selected] of protocols) {
      test(`the subprotocol for ${offered ?? "no offer"} is ${selected ?? "a refusal"}`, async () => {
        const port = await make().listen();
        const options = { port, headers: { "Sec-WebSocket-Protocol": offered } };
        if (selected !== undefined) return assert.equal((await dial(options)).protocol, selected);
        const { status, body } = await refusal(options);
        assert.deepEqual([status, codeOf(body)], [400, "INVALID_REQUEST"]);
        assert.match(body, /parley\.v1/);
      });
    }

    test("another version of the WebSocket protocol is told which one to use", async () => {
      const port = await make().listen();
      const { status, headers } = await refusal({ port, headers: { "Sec-WebSocket-Version": "8" } });
      assert.deepEqual([status, headers.get("sec-websocket-version")], [426, "13"]);
    });

    test("no compression is negotiated, though it is offered", async () => {
      const port = await make().listen();
      const client = await dial({ port, headers: { "Sec-WebSocket-Extensions": "permessage-deflate" } });
      client.send("plain");
      await until(() => !client.ended, "the connection to live");
    });

    test("[PITFALLS 26] a page of another site can't open a socket, nor one that has rebound a name", async () => {
      const policy = originPolicy({ boundTo: "127.0.0.1", allowedOrigins: ["https://app.example"] });
      let opened = 0;
      const connections = { ...silent, open: () => void opened++ };
      const port = await make({}, { connections, refuseUpgrade: upgradeGuard(policy, noMetrics) }).listen();
      const here = `http://127.0.0.1:${port}`;
      await dial({ port });
      await dial({ port, headers: { Origin: here } });
      await dial({ port, headers: { Origin: "https://app.example" } });
      await until(() => opened === 3, "three connections");
      for (const headers of [
        { Origin: "https://evil.example" },
        { Origin: "null" },
        { Origin: `http://evil.example:${port}`, Host: `evil.example:${port}` },
        { Host: `evil.example:${port}` },
      ]) {
        const { status, body } = await refusal({ port, headers });
        assert.deepEqual([status, codeOf(body)], [403, "ORIGIN_REFUSED"]);
      }
      assert.equal(opened, 3);
    });

    test("only /ws is a socket", async () => {
      const port = await make().listen();
      assert.equal((await refusal({ port, path: "/other" })).status, 404);
      assert.equal((await refusal({ port, path: "/ws/" })).status, 404);
      await dial({ port, path: "/ws?anything=1" });
    });

    test("stopping accepts nothing new; open connections stay, and hear the last words", async () => {
      const live: Connection[] = [];
      const connections = { ...silent, open: (connection: Connection) => void live.push(connection) };
      const route = {
        method: "GET",
        path: "/x",
        maxBody: 0,
        handle: () => ({ status: 200, headers: {}, body: "x" }),
      } as const;
      const transport = make({}, { connections, routes: [route] });
      const port = await transport.listen();
      const client = await dial({ port });
      const http = await httpConnect(port);
      await until(() => live.length === 1, "the connection");
      transport.stopListening();
      transport.stopListening();
      await assert.rejects(httpConnect(port), { code: "ECONNREFUSED" });

      live[0]?.send("still here");
      http.request("GET", "/x");
      const answer = await http.answer();
      assert.deepEqual([answer.status, answer.headers.get("connection")], [200, "close"]);
      await until(() => http.ended, "the HTTP connection to end");

      live[0]?.close(4001, "draining");
      await transport.close();
      await transport.close();
      await until(() => client.ended, "the end");
      assert.deepEqual([client.texts, client.closeFrame], [["still here"], { code: 4001, reason: "draining" }]);
    });

    test("an upgrade on a connection from before the stop is told that the node drains", async () => {
      const transport = make();
      const port = await transport.listen();
      const http = await httpConnect(port);
      http.request("GET", "/warm-up");
      await http.answer();
      transport.stopListening();
      http.request("GET", "/ws", [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
      ]);
      const { status, body } = await http.answer();
      assert.deepEqual([status, codeOf(body)], [503, "DRAINING"]);
    });

    test("closing ends what is left, and says so once", async () => {
      const codes: number[] = [];
      const connections = { ...silent, close: (_: Connection, code: number) => void codes.push(code) };
      const transport = make({}, { connections });
      const port = await transport.listen();
      const [one, two] = [await dial({ port }), await dial({ port })];
      await Promise.all([transport.close(), transport.close()]);
      await until(() => one.ended && two.ended, "both ends");
      assert.deepEqual(codes, [1006, 1006]);
    });

    for (const where of ["open", "message", "drain", "close"] as const) {
      test(`a listener that throws in ${where} is a logged bug, ends its own connection, and nothing else`, async () => {
        const log = recordingLogger();
        let bugs = 0;
        let broken = true;
        const live: Connection[] = [];
        const fail = (at: string) => {
          if (broken && at === where) throw new Error(`broken ${at}`);
        };
        const connections: ConnectionListener = {
          open(connection) {
            live.push(connection);
            fail("open");
          },
          message(connection, text) {
            fail("message");
            connection.send(text);
          },
          drain: () => fail("drain"),
          close: () => fail("close"),
        };
        const transport = make({ log, metrics: { ...noMetrics, bug: () => bugs++ } }, { connections });
        const port = await transport.listen();
        const first = await dial({ port });
        await until(() => live.length === 1, "the connection");
        if (where === "message") first.send("go");
        if (where === "close") first.close(1000);
        if (where === "drain") {
          first.pauseReading();
          for (let i = 0; live[0]?.send("x".repeat(100_000)) === "sent"; i++) assert.ok(i < 1000);
          first.resumeReading();
        }
        await until(() => first.ended, "its end");
        assert.equal(first.closeFrame?.code, where === "close" ? 1000 : 1011);
        assert.equal(bugs, 1);
        const { err } = (log.lines[0]?.fields ?? {}) as { err?: unknown };
        assert.match(String(err), new RegExp(`broken ${where}`));

        broken = false;
        const second = await dial({ port });
        second.send("fine");
        await until(() => second.texts.length === 1, "the answer");
      });
    }

    test("invalid UTF-8, a mask that is missing, and frames that break the rules drop the connection", async () => {
      const messages: string[] = [];
      const codes: number[] = [];
      const connections: ConnectionListener = {
        ...silent,
        message: (_, text) => void messages.push(text),
        close: (_, code) => void codes.push(code),
      };
      const port = await make({}, { connections }).listen();
      const breaks: ((client: WsClient) => void)[] = [
        (client) => client.frame(OPCODE.text, new Uint8Array([0xff, 0xfe])),
        (client) => client.frame(OPCODE.text, new Uint8Array([0xed, 0xa0, 0x80])),
        (client) => client.frame(OPCODE.text, new Uint8Array([0xc3]), true),
        (client) => client.frame(3, "reserved"),
        (client) => client.frame(OPCODE.continuation, "of nothing"),
        (client) => client.frame(OPCODE.ping, "x".repeat(126)),
        (client) => client.socket.write(Buffer.from([0xc1, 0x80, 0, 0, 0, 0])),
      ];
      for (const [i, act] of breaks.entries()) {
        const client = await dial({ port });
        act(client);
        await until(() => client.ended, `the end of ${i}`);
      }
      await until(() => codes.length === breaks.length, "the closes");
      assert.deepEqual(messages, []);
      assert.ok(codes.every((code) => code === 1006));
    });

    test("a frame in pieces and several frames in one packet are read as frames", async () => {
      const messages: string[] = [];
      const port = await make(
        {},
        { connections: { ...silent, message: (_, text) => void messages.push(text) } },
      ).listen();
      const client = await dial({ port });
      client.socket.setNoDelay(true);
      client.socket.cork();
      for (let i = 0; i < 50; i++) client.send(`m${i}`);
      client.socket.uncork();
      client.sendFragments(["a", "é", "😀"]);
      await until(() => messages.length === 51, "the messages");
      assert.deepEqual(messages, [...Array.from({ length: 50 }, (_, i) => `m${i}`), "aé😀"]);
    });

    test("a half-closed connection is closed", async () => {
      const codes: number[] = [];
      const port = await make({}, { connections: { ...silent, close: (_, code) => void codes.push(code) } }).listen();
      const client = await dial({ port });
      client.halfClose();
      await until(() => codes.length === 1 && client.ended, "the close");
      assert.deepEqual(codes, [1006]);
    });

    test("a close frame without a code is a 1005", async () => {
      const codes: number[] = [];
      const port = await make({}, { connections: { ...silent, close: (_, code) => void codes.push(code) } }).listen();
      const client = await dial({ port });
      client.close();
      await until(() => codes.length === 1 && client.ended, "the close");
      assert.deepEqual(codes, [1005]);
    });

    test("[W9] a peer that answers pings lives, one that does not is dead, though the server goes on sending", async () => {
      const codes: number[] = [];
      const live: Connection[] = [];
      const connections: ConnectionListener = {
        ...silent,
        open: (connection) => void live.push(connection),
        close: (_, code) => void codes.push(code),
      };
      const port = await make({ idleSeconds: 8 }, { connections }).listen();
      const silentPeer = await dial({ port, answerPings: false });
      const livePeer = await dial({ port });
      const sending = setInterval(() => {
        for (const connection of live) connection.send("heartbeat");
      }, 500);
      try {
        await until(() => codes.length > 0 && silentPeer.ended, "the silent peer's end", 30_000);
        await until(() => livePeer.pings > 0, "a ping", 30_000);
      } finally {
        clearInterval(sending);
      }
      assert.deepEqual(codes, [1006]);
      assert.equal(livePeer.ended, false);
    });

    test("a process ends by itself once its transport is closed", async () => {
      const script = `const { ${exported}: makeTransport } = await import(${JSON.stringify(module)});
    const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
    const none = () => {};
    const transport = makeTransport(
      { host: "127.0.0.1", port: 0, trustProxy: false, log, metrics: { bug: none } },
      { routes: [], connections: { open: none, message: none, drain: none, close: none }, refuseUpgrade: none });
    const port = await transport.listen();
    const socket = new WebSocket("ws://127.0.0.1:" + port + "/ws", "parley.v1");
    await new Promise((resolve) => (socket.onopen = resolve));
    await transport.close();
    console.log("closed");`;
      const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { timeout: 30_000 });
      assert.equal((await run).stdout, "closed\n");
    });
  });
}
