import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import {
  dropped,
  failed,
  type Reply,
  type RecordedRequest,
  sse,
  startProvider,
  streamed,
} from "../../test/providers/sse-server.ts";
import { until } from "../../test/support/until.ts";
import { type Appetite, createHttpStreams, type HttpStreamOptions, readEvents } from "./http-stream.ts";

const never = new AbortController().signal;
const events = (...datas: string[]) => sse(datas.map((data) => ({ data })));

async function serving(t: TestContext, replies: readonly Reply[], options?: HttpStreamOptions) {
  const server = await startProvider(replies);
  const http = createHttpStreams(options);
  t.after(async () => {
    http.close();
    await server.close();
  });
  const post = (signal: AbortSignal = never, headers?: Record<string, string>) =>
    http.fetch(`${server.url}/v1/chat`, { method: "POST", body: '{"ü":1}', signal, ...(headers && { headers }) });
  async function open(signal?: AbortSignal) {
    const body = http.bodyOf(await post(signal));
    assert.ok(body !== undefined);
    return body;
  }
  return { server, http, post, open };
}

function taker(appetite: (data: string) => Appetite = () => "more") {
  const taken: string[] = [];
  return {
    taken,
    take: (data: string) => {
      taken.push(data);
      return appetite(data);
    },
  };
}

test("HTTP: a request has its method, body and headers, and the head of the answer comes before the body", async (t) => {
  const { server, http, post } = await serving(t, [streamed(events("a"), { headers: { "x-request-id": "r1" } })]);
  const response = await post(never, { "Content-Type": "application/json", "X-Own": "1" });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("x-request-id"), "r1");
  const { taken, take } = taker();
  assert.equal(await readEvents(http.bodyOf(response)!, never, take), "end");
  assert.deepEqual(taken, ["a"]);
  const [request] = server.requests;
  assert.deepEqual([request?.method, request?.path, request?.body], ["POST", "/v1/chat", { ü: 1 }]);
  assert.equal(request?.headers["x-own"], "1");
});

test("HTTP: of the headers only those are sent that are asked for", async (t) => {
  const { server, post, http } = await serving(t, [streamed("")], { headers: ["content-type"] });
  http.bodyOf(await post(never, { "Content-Type": "application/json", "X-Own": "1" }))?.destroy();
  assert.equal(server.requests[0]?.headers["content-type"], "application/json");
  assert.equal(server.requests[0]?.headers["x-own"], undefined);
});

test("HTTP: a failure has its body, of a bounded length", async (t) => {
  const { post, http } = await serving(t, [failed(400, { a: 1 }), failed(500, "x".repeat(1_000_000))]);
  const small = await post();
  assert.deepEqual(await small.json(), { a: 1 });
  assert.equal(http.bodyOf(small), undefined);
  assert.equal((await (await post()).text()).length, 64 * 1024);
});

test("HTTP: a connection serves again once its answer is over, read to its end or not", async (t) => {
  const sockets = new Set<string>();
  const reply = (end?: object): Reply => ({
    steps: [{ send: events("a", "[DONE]") }, ...(end ? [{ send: "x" }] : [])],
  });
  const { http, post } = await serving(t, [reply(), reply({}), reply()]);
  for (let i = 0; i < 3; i++) {
    const body = http.bodyOf(await post())!;
    sockets.add(String(body.socket.localPort));
    const { take } = taker((data) => (data === "[DONE]" ? "done" : "more"));
    assert.equal(await readEvents(body, never, take), "done");
    await until(() => body.closed, "the end of the body");
  }
  assert.equal(sockets.size, 1);
});

test("HTTP: an abort ends a request at once before there is an answer", async (t) => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket.resume())).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const http = createHttpStreams();
  t.after(() => {
    http.close();
    silent.close();
  });
  const abort = new AbortController();
  const address = silent.address() as AddressInfo;
  const answer = http.fetch(`http://127.0.0.1:${address.port}/`, { method: "POST", body: "{}", signal: abort.signal });
  await until(() => sockets.length === 1, "the connection");
  abort.abort();
  await assert.rejects(answer, { name: "AbortError" });
  await until(() => sockets[0]?.destroyed === true, "the end of the connection");
});

test("HTTP: an abort ends a request at once in the body of a failure", async (t) => {
  const { server, post } = await serving(t, [{ status: 500, steps: [{ send: "x" }, { end: "stall" }] }]);
  const abort = new AbortController();
  const answer = post(abort.signal);
  await until(() => server.requests.length === 1, "the request");
  abort.abort();
  await assert.rejects(answer, { name: "AbortError" });
  await until(() => abandoned(server.requests[0]), "the end of the connection");
});

test("HTTP: an abort ends a body at once, and from then on nothing is taken", async (t) => {
  const { server, open } = await serving(t, [streamed(events("a", "b"), { end: "stall" })]);
  const abort = new AbortController();
  const body = await open(abort.signal);
  const { taken, take } = taker(() => {
    abort.abort();
    return "more";
  });
  assert.equal(await readEvents(body, abort.signal, take), "aborted");
  assert.deepEqual(taken, ["a"]);
  await until(() => abandoned(server.requests[0]), "the end of the connection");
  assert.equal(await readEvents(body, abort.signal, take), "aborted");
});

const abandoned = (request: RecordedRequest | undefined) => request?.abandoned === true;

test("HTTP: a kept connection that the server has given up is replaced, once", async (t) => {
  const { server, http, post } = await serving(t, [streamed(events("a")), dropped, streamed(events("b")), dropped]);
  const read = async () => {
    const { taken, take } = taker();
    await readEvents(http.bodyOf(await post())!, never, take);
    return taken;
  };
  assert.deepEqual(await read(), ["a"]);
  await until(() => server.requests[0]?.finished === true, "the end of the first reply");
  assert.deepEqual(await read(), ["b"]);
  // This one went over a connection of its own.
  await assert.rejects(post(), { code: "ECONNRESET" });
  assert.equal(server.requests.length, 4);
});

test("HTTP: an aborted signal sends nothing", async (t) => {
  const { server, post } = await serving(t, []);
  await assert.rejects(post(AbortSignal.abort()), { name: "AbortError" });
  assert.equal(server.requests.length, 0);
});

test("HTTP: a body that breaks off is told from one that ends", async (t) => {
  const { open } = await serving(t, [streamed(events("a"), { end: "cut" }), streamed(events("a"))]);
  assert.equal(await readEvents(await open(), never, taker().take), "cut");
  assert.equal(await readEvents(await open(), never, taker().take), "end");
});

test("HTTP: when all is said, a body is not waited for long, and may break off", async (t) => {
  const stalls = streamed(events("a", "last"), { end: "stall" });
  const { open } = await serving(t, [streamed(events("a", "last"), { end: "cut" }), stalls]);
  const tail = () => taker((data) => (data === "last" ? "tail" : "more")).take;
  assert.equal(await readEvents(await open(), never, tail()), "done");
  assert.equal(await readEvents(await open(), never, tail()), "done");
});

test("HTTP: a body that is JSON is one event", async (t) => {
  const json = { headers: { "content-type": "application/json" }, steps: [{ send: ' {"a":' }, { send: "1}" }] };
  const { open } = await serving(t, [json]);
  const { taken, take } = taker();
  assert.equal(await readEvents(await open(), never, take), "end");
  assert.deepEqual(taken, [' {"a":1}']);
});

test("HTTP: what a listener throws ends the body", async (t) => {
  const { server, open } = await serving(t, [streamed(events("a", "b"), { end: "stall" })]);
  const bug = new Error("full");
  await assert.rejects(
    readEvents(await open(), never, () => {
      throw bug;
    }),
    bug,
  );
  await until(() => abandoned(server.requests[0]), "the end of the connection");
});
