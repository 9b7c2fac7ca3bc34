import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { until } from "../support/until.ts";
import { dropped, failed, type Script, split, sse, startProvider, streamed } from "./sse-server.ts";

async function provider(t: TestContext, script: Script) {
  const started = await startProvider(script);
  t.after(() => started.close());
  return started;
}

async function chunks(response: Response): Promise<string[]> {
  const read: string[] = [];
  for await (const chunk of response.body ?? []) read.push(Buffer.from(chunk).toString("latin1"));
  return read;
}

test("events are written with any line end, several data lines and comments", () => {
  const events = [": hi\n\n", { event: "a", data: "1\n2" }, { data: "é" }];
  assert.equal(sse(events), ": hi\n\nevent: a\ndata: 1\ndata: 2\n\ndata: é\n\n");
  assert.equal(sse(events, "\r\n"), ": hi\r\n\r\nevent: a\r\ndata: 1\r\ndata: 2\r\n\r\ndata: é\r\n\r\n");
});

test("a body is cut at bytes, not at characters", () => {
  assert.deepEqual(
    split("aé\r\n", [2, 4, 2, 0, 99]).map((chunk) => [...chunk]),
    [[0x61, 0xc3], [0xa9, 0x0d], [0x0a]],
  );
});

test("each chunk arrives as a chunk, replies follow the script, and requests are recorded", async (t) => {
  const { url, requests } = await provider(t, [
    streamed("abé", { splitAt: "each" }),
    failed(429, { error: "slow down" }, { "retry-after": "3" }),
  ]);
  assert.deepEqual(await chunks(await fetch(`${url}/v1?x=1`, { method: "POST", body: '{"a":1}' })), [
    "a",
    "b",
    "\u00c3",
    "\u00a9",
  ]);
  const second = await fetch(url, { headers: { "x-key": "k" } });
  assert.deepEqual([second.status, second.headers.get("retry-after")], [429, "3"]);
  assert.deepEqual(await second.json(), { error: "slow down" });
  const third = await fetch(url);
  assert.equal(third.status, 599);
  await third.arrayBuffer();
  assert.deepEqual(
    requests.map(({ method, path, body, finished, abandoned }) => ({ method, path, body, finished, abandoned })),
    [
      { method: "POST", path: "/v1?x=1", body: { a: 1 }, finished: true, abandoned: false },
      { method: "GET", path: "/", body: undefined, finished: true, abandoned: false },
      { method: "GET", path: "/", body: undefined, finished: true, abandoned: false },
    ],
  );
  assert.equal(requests[1]?.headers["x-key"], "k");
});

test("a cut body arrives as far as it was sent and ends with an error; a dropped connection has no answer", async (t) => {
  const { url } = await provider(t, [streamed("abc", { end: "cut" }), dropped]);
  const reader = (await fetch(url)).body?.getReader();
  assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), "abc");
  await assert.rejects(async () => reader?.read());
  await assert.rejects(fetch(url));
});

test("a stall lasts until the client goes", async (t) => {
  const { url, requests } = await provider(t, [streamed("abc", { end: "stall" })]);
  const abort = new AbortController();
  const reader = (await fetch(url, { signal: abort.signal })).body?.getReader();
  assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), "abc");
  const next = reader?.read();
  assert.deepEqual([requests[0]?.finished, requests[0]?.abandoned], [false, false]);
  abort.abort();
  await assert.rejects(async () => next);
  await until(() => requests[0]?.abandoned === true, "the server to see the client go");
});

test("a reply waits for what the test decides", async (t) => {
  const gate = Promise.withResolvers<void>();
  const { url } = await provider(t, () => ({ steps: [{ send: "a" }, { wait: gate.promise }, { send: "b" }] }));
  const reader = (await fetch(url)).body?.getReader();
  assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), "a");
  gate.resolve();
  assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), "b");
});
