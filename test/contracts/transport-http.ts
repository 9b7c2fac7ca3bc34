import assert from "node:assert/strict";
import { describe, before, after, afterEach, test } from "node:test";
import { SECURITY_HEADERS } from "../../src/gateway/http-headers.ts";
import type { HttpRequest, HttpResponse, HttpRoute } from "../../src/ports/http.ts";
import type { Transport, TransportHooks } from "../../src/ports/http.ts";
import { noMetrics } from "../../src/ports/metrics.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type { SocketOptions } from "../../src/transports/http-limits.ts";
import { type HttpClient, httpConnect } from "../support/http-client.ts";
import { recordingLogger } from "../support/logger.fake.ts";
import { until } from "../support/until.ts";

export type MakeTransport = (options: SocketOptions, hooks: TransportHooks) => Transport;

export function transportHttpContract(name: string, make: MakeTransport): void {
  describe(name, () => {
    const text = (body: string, status = 200): HttpResponse => ({
      status,
      headers: { "content-type": "text/plain" },
      body,
    });
    const seen: HttpRequest[] = [];
    let finishSlow: (answer: HttpResponse) => void = () => {};

    const route = (
      method: HttpRoute["method"],
      path: string,
      maxBody: number,
      handle: HttpRoute["handle"],
    ): HttpRoute => ({
      method,
      path,
      maxBody,
      handle: (request) => {
        seen.push(request);
        return handle(request);
      },
    });

    const routes = [
      route("GET", "/hello", 0, () => text("grüße")),
      route("GET", "/large", 0, () => text("x".repeat(3_000_000))),
      route("GET", "/cached", 0, () => ({ status: 304, headers: { etag: '"1"' }, body: "" })),
      route("GET", "/own", 0, () => ({ status: 200, headers: { "referrer-policy": "origin" }, body: "" })),
      route("GET", "/later", 0, async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return text("later");
      }),
      route("POST", "/echo", 1000, ({ body }) => text(Buffer.from(body).toString())),
      route("DELETE", "/echo", 0, () => text("deleted")),
      route("POST", "/slow", 10, () => new Promise((resolve) => (finishSlow = resolve))),
      route("GET", "/expected", 0, () => Promise.reject(new ParleyError("RATE_LIMITED", { retryAfterMs: 1500 }))),
      route("GET", "/bug", 0, () => {
        throw new Error("secret detail");
      }),
      route("GET", "/async-bug", 0, () => Promise.reject(new Error("secret detail"))),
    ];

    const log = recordingLogger();
    let bugs = 0;
    const transport = make(
      {
        host: "127.0.0.1",
        port: 0,
        trustProxy: true,
        log,
        metrics: { ...noMetrics, bug: () => bugs++ },
        http: { bodyMs: 300, handleMs: 300 },
      },
      {
        routes,
        connections: { open() {}, message() {}, drain() {}, close() {} },
        refuseUpgrade: () => undefined,
      },
    );
    let port = 0;
    before(async () => {
      port = await transport.listen();
    });
    const clients: HttpClient[] = [];
    async function open(): Promise<HttpClient> {
      const client = await httpConnect(port);
      clients.push(client);
      return client;
    }
    async function ask(method: string, path: string, lines: readonly string[] = [], body = "") {
      const client = await open();
      client.request(method, path, lines, body);
      return client.answer({ head: method === "HEAD" });
    }
    const error = (body: string) => (JSON.parse(body) as { error: Record<string, unknown> }).error;

    afterEach(() => {
      for (const client of clients.splice(0)) client.destroy();
      seen.length = 0;
    });
    after(() => transport.close());

    test("GET: status, headers, a body in UTF-8", async () => {
      const { status, headers, body } = await ask("GET", "/hello");
      assert.deepEqual([status, headers.get("content-type"), body], [200, "text/plain", "grüße"]);
      assert.equal(headers.get("content-length"), "7");
    });

    test("a request is copied: it is whole after an await", async () => {
      await ask("GET", "/later?a=%20b&c", ["X-Thing: One", "Cookie: a=1", "Cookie: b=2", "Accept: x", "accept: y"]);
      const [request] = seen;
      assert.ok(request);
      assert.deepEqual([request.method, request.path, request.query], ["GET", "/later", "a=%20b&c"]);
      assert.equal(request.headers.get("x-thing"), "One");
      assert.equal(request.headers.get("cookie"), "a=1; b=2");
      assert.equal(request.headers.get("accept"), "x, y");
      assert.equal(request.remoteAddress, "127.0.0.1");
      assert.equal(request.signal.aborted, false);
    });

    test("the path is as sent, and the address is the nearest proxy's word", async () => {
      await ask("GET", "/hello", ["X-Forwarded-For: 6.6.6.6, 203.0.113.9"]);
      assert.equal(seen[0]?.remoteAddress, "203.0.113.9");
      assert.equal((await ask("GET", "/hel%6co")).status, 404);
    });

    test("HEAD is GET without its body, and the connection goes on", async () => {
      const client = await open();
      client.request("HEAD", "/hello");
      const { status, headers } = await client.answer({ head: true });
      assert.deepEqual([status, headers.get("content-length"), headers.get("content-type")], [200, "7", "text/plain"]);
      client.request("GET", "/hello");
      assert.equal((await client.answer()).body, "grüße");
    });

    test("one connection takes many requests, also all at once", async () => {
      const client = await open();
      for (let i = 0; i < 20; i++) client.request("GET", i % 2 === 0 ? "/hello" : "/cached");
      for (let i = 0; i < 20; i++) assert.equal((await client.answer()).status, i % 2 === 0 ? 200 : 304);
    });

    test("304 has neither a body nor a length", async () => {
      const { status, headers } = await ask("GET", "/cached");
      assert.deepEqual([status, headers.get("etag"), headers.has("content-length")], [304, '"1"', false]);
    });

    test("a large body arrives whole, also at a reader that pauses", async () => {
      const client = await open();
      client.socket.pause();
      client.request("GET", "/large");
      await until(() => seen.length === 1, "the request");
      client.socket.resume();
      assert.equal((await client.answer()).body.length, 3_000_000);
    });

    const refused: readonly (readonly [method: string, path: string, status: number, code: string, allow?: string])[] =
      [
        ["GET", "/nothing", 404, "NOT_FOUND"],
        ["HEAD", "/nothing", 404, "NOT_FOUND"],
        ["POST", "/nothing", 404, "NOT_FOUND"],
        ["POST", "/hello", 405, "INVALID_REQUEST", "GET, HEAD"],
        ["GET", "/echo", 405, "INVALID_REQUEST", "POST, DELETE"],
        ["OPTIONS", "/echo", 405, "INVALID_REQUEST", "POST, DELETE"],
        ["PROPFIND", "/hello", 405, "INVALID_REQUEST", "GET, HEAD"],
        ["GET", "/ws", 426, "INVALID_REQUEST"],
        ["GET", "/../../etc/passwd", 404, "NOT_FOUND"],
        ["GET", "/expected", 429, "RATE_LIMITED"],
        ["GET", "/bug", 500, "INTERNAL"],
        ["GET", "/async-bug", 500, "INTERNAL"],
      ];
    for (const [method, path, status, code, allow] of refused) {
      test(`[W7] ${method} ${path} is ${status} ${code}`, async () => {
        const answer = await ask(method, path);
        assert.equal(answer.status, status);
        assert.equal(answer.headers.get("allow"), allow);
        assert.equal(answer.headers.get("content-type"), "application/json; charset=utf-8");
        if (method === "HEAD") return;
        assert.equal(error(answer.body)["code"], code);
        assert.equal(typeof error(answer.body)["message"], "string");
        assert.equal(typeof error(answer.body)["retryable"], "boolean");
        assert.ok(!answer.body.includes("secret"), answer.body);
      });
    }

    test("a bug in a route is logged and counted; an expected failure is not", async () => {
      log.lines.length = 0;
      bugs = 0;
      await ask("GET", "/expected");
      assert.deepEqual([log.lines.length, bugs], [0, 0]);
      await ask("GET", "/bug");
      await ask("GET", "/async-bug");
      assert.deepEqual(
        log.lines.map(({ level, fields }) => [level, (fields as { path?: string }).path]),
        [
          ["error", "/bug"],
          ["error", "/async-bug"],
        ],
      );
      assert.equal(bugs, 2);
    });

    test("a failure that passes says when to come back", async () => {
      const { headers, body } = await ask("GET", "/expected");
      assert.equal(headers.get("retry-after"), "2");
      assert.equal(error(body)["retryAfterMs"], 1500);
    });

    test("every answer has the security headers", async () => {
      const requests: readonly (readonly [string, string])[] = [
        ["GET", "/hello"],
        ["HEAD", "/hello"],
        ["GET", "/cached"],
        ["GET", "/nothing"],
        ["POST", "/hello"],
        ["GET", "/bug"],
        ["GET", "/ws"],
        ["POST", "/echo"],
      ];
      for (const [method, path] of requests) {
        const { headers } = await ask(method, path);
        for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
          assert.equal(headers.get(name), value, `${method} ${path}: ${name}`);
        }
      }
    });

    test("a route's own header replaces the general one", async () => {
      assert.equal((await ask("GET", "/own")).headers.get("referrer-policy"), "origin");
    });

    test("a body: with a length, in chunks, in pieces, empty, exactly as large as allowed", async () => {
      assert.equal((await ask("POST", "/echo", ["Content-Length: 5"], "hello")).body, "hello");
      assert.equal((await ask("POST", "/echo", ["Content-Length: 0"])).body, "");
      assert.equal((await ask("POST", "/echo")).body, "");
      assert.equal((await ask("POST", "/echo", ["Content-Length: 1000"], "x".repeat(1000))).body.length, 1000);
      const chunked = await ask("POST", "/echo", ["Transfer-Encoding: chunked"], "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
      assert.equal(chunked.body, "abcdefg");
      const client = await open();
      client.request("POST", "/echo", ["Content-Length: 6"], "abc");
      client.write("def");
      assert.equal((await client.answer()).body, "abcdef");
      client.request("POST", "/echo", ["Content-Length: 3"], "xyz");
      assert.equal((await client.answer()).body, "xyz");
    });

    const tooLarge: readonly (readonly [what: string, method: string, path: string, lines: string[], body: string])[] =
      [
        ["announced", "POST", "/echo", ["Content-Length: 1001"], ""],
        ["announced as endless", "POST", "/echo", ["Content-Length: 99999999999999"], ""],
        ["found out on the way", "POST", "/echo", ["Transfer-Encoding: chunked"], `3e9\r\n${"x".repeat(1001)}\r\n`],
        ["where none is taken", "DELETE", "/echo", ["Content-Length: 1"], ""],
        ["in chunks where none is taken", "DELETE", "/echo", ["Transfer-Encoding: chunked"], "1\r\nx\r\n"],
      ];
    for (const [what, method, path, lines, body] of tooLarge) {
      test(`413 for a body that is too large: ${what}`, async () => {
        const client = await open();
        client.request(method, path, lines, body);
        const answer = await client.answer();
        assert.deepEqual([answer.status, error(answer.body)["code"]], [413, "FRAME_TOO_LARGE"]);
        await until(() => client.ended, "the connection to be closed");
        assert.equal(seen.length, 0);
      });
    }

    test("a body that does not arrive is answered 408, and the connection closed", async () => {
      const client = await open();
      client.request("POST", "/echo", ["Content-Length: 10"], "abc");
      const answer = await client.answer();
      assert.deepEqual([answer.status, error(answer.body)["code"]], [408, "TIMEOUT"]);
      await until(() => client.ended, "the connection to be closed");
      assert.equal(seen.length, 0);
    });

    test("a client that leaves in the middle of its body harms nobody", async () => {
      const client = await open();
      client.request("POST", "/echo", ["Content-Length: 10"], "abc");
      client.socket.resetAndDestroy();
      assert.equal((await ask("GET", "/hello")).status, 200);
      assert.ok(!seen.some(({ method }) => method === "POST"));
    });

    test("a client that leaves before the answer aborts the signal, and the late answer is dropped", async () => {
      const client = await open();
      client.request("POST", "/slow", ["Content-Length: 2"], "go");
      await until(() => seen.length === 1, "the request");
      assert.equal(seen[0]?.signal.aborted, false);
      client.socket.resetAndDestroy();
      await until(() => seen[0]?.signal.aborted === true, "the abort");
      finishSlow(text("too late"));
      assert.equal((await ask("GET", "/hello")).status, 200);
    });

    test("a route that does not answer is answered for, and told", async () => {
      const client = await open();
      client.request("POST", "/slow", ["Content-Length: 2"], "go");
      const answer = await client.answer();
      assert.deepEqual([answer.status, error(answer.body)["code"]], [504, "TIMEOUT"]);
      assert.equal(seen[0]?.signal.aborted, true);
      finishSlow(text("too late"));
      assert.equal((await ask("GET", "/hello")).status, 200);
    });

    const nonsense: Readonly<Record<string, string>> = {
      "a request that never becomes whole": "GET /hello HTTP/1.1\r\nHost: a\r\n",
      "endless headers": `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(100_000)}`,
      "two lengths":
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "no length": "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
    };
    for (const [what, request] of Object.entries(nonsense)) {
      test(`nonsense ends its own connection only: ${what}`, async () => {
        const client = await open();
        client.write(request);
        await until(() => client.ended, "the end", 30_000);
        assert.equal(seen.length, 0);
        assert.equal((await ask("GET", "/hello")).status, 200);
      });
    }
  });
}
