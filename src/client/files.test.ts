import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ScriptedServer } from "../../test/support/scripted-server.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { Auth } from "./auth.ts";
import { createClient } from "./client.ts";

interface Sent {
  readonly url: string;
  readonly init: RequestInit;
}

const stored = { fileId: "f1", name: "naïve.txt", mediaType: "text/plain", size: 3 };
const bytes = new TextEncoder().encode("abc");

async function setUp(
  answer: (sent: Sent) => Promise<Response>,
  auth: Auth = { kind: "cookie" },
  url = "wss://host/ws",
) {
  const server = new ScriptedServer();
  if (auth.kind !== "cookie") server.identity = undefined;
  const sent: Sent[] = [];
  const client = createClient({
    ...server.platform,
    auth,
    url,
    fetch: (to, init) => {
      const request = { url: to, init };
      sent.push(request);
      return answer(request);
    },
  });
  await server.settle();
  return { server, client, sent };
}

const created = async () => Response.json({ file: stored }, { status: 201 });
const header = (sent: Sent | undefined, name: string) => new Headers(sent?.init.headers).get(name);
/** As `fetch` does: rejects when its signal says so. */
const hang = ({ init: { signal } }: Sent) =>
  new Promise<Response>((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason as Error));
  });

describe("files.upload", () => {
  it("posts the bytes beside the socket, with the cookie", async () => {
    const { client, sent } = await setUp(created);
    assert.deepEqual(await client.files.upload("naïve.txt", "text/plain", bytes), { type: "file", ...stored });
    const [request] = sent;
    assert.deepEqual([request?.url, request?.init.method], ["https://host/files", "POST"]);
    assert.deepEqual([request?.init.body, request?.init.credentials], [bytes, "same-origin"]);
    assert.deepEqual(
      ["content-type", "x-file-name", "authorization"].map((name) => header(request, name)),
      ["text/plain", "na%C3%AFve.txt", null],
    );
    assert.equal(client.files.url("f/1"), "https://host/files/f%2F1");
  });

  it("behind a path, as the socket is", async () => {
    const { client, sent } = await setUp(created, { kind: "cookie" }, "ws://host:8080/parley/ws");
    await client.files.upload("a", "text/plain", bytes);
    assert.equal(sent[0]?.url, "http://host:8080/parley/files");
  });

  it("waits for the login where there is no cookie, and shows its session", async () => {
    const { server, client, sent } = await setUp(created, { kind: "token", provider: () => "secret" });
    await client.files.upload("a", "text/plain", bytes);
    assert.equal(header(sent[0], "authorization"), "Bearer token-of-1");
    assert.equal(server.requests("login").length, 1);
  });

  it("says why a file was refused", async () => {
    const error = new ParleyError("FILE_REFUSED", { message: "The file is empty." });
    const { client } = await setUp(async () =>
      Response.json({ error: { message: error.message, ...error.data() } }, { status: 415 }),
    );
    await assert.rejects(client.files.upload("a", "text/plain", new Uint8Array()), {
      code: "FILE_REFUSED",
      message: "The file is empty.",
    });
  });

  it("a proxy's own answer, or none, is UNAVAILABLE", async () => {
    for (const answer of [
      async () => new Response("<h1>502</h1>", { status: 502 }),
      () => Promise.reject(new TypeError("fetch failed")),
    ]) {
      const { client } = await setUp(answer);
      await assert.rejects(client.files.upload("a", "text/plain", bytes), { code: "UNAVAILABLE" });
    }
  });

  it("is given up when its caller says so, or after two minutes", async () => {
    const { server, client, sent } = await setUp(hang);
    const abort = new AbortController();
    const upload = client.files.upload("a", "text/plain", bytes, { signal: abort.signal });
    await server.settle();
    abort.abort();
    await assert.rejects(upload, { code: "CANCELLED" });
    await assert.rejects(client.files.upload("a", "text/plain", bytes, { signal: abort.signal }), {
      code: "CANCELLED",
    });
    const slow = client.files.upload("a", "text/plain", bytes);
    slow.catch(() => {});
    await server.settle();
    assert.equal(sent.length, 2);
    server.clock.advance(120_000);
    await assert.rejects(slow, { code: "TIMEOUT" });
  });
});
