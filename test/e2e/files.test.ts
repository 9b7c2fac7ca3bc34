/** Files through the built program: uploaded, asked about, seen by the models that see, read back by their owner. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Client, createClient } from "../../src/client/client.ts";
import type { FilePart, Message, Run } from "../../src/protocol/shapes.ts";
import { failed, type Provider, type Reply, sse, startProvider, streamed } from "../providers/sse-server.ts";
import { ACCESS_TOKEN, type Parley, startParley } from "../support/parley.ts";
import { startS3 } from "../support/s3.ts";
import { until } from "../support/until.ts";

const LIMIT = { timeout: 120_000 };
/** One black point. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
  "base64",
);
const DATA_URL = `data:image/png;base64,${PNG.toString("base64")}`;
const NOTES = "Milk, bread — and Käse.";

const piece = (delta: object, finish: string | null = null) => ({
  data: JSON.stringify({
    id: "c",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: finish }],
  }),
});
const says = (text: string): Reply => streamed(sse([piece({ content: text }), piece({}, "stop"), { data: "[DONE]" }]));
const calls = (name: string, args: object): Reply =>
  streamed(
    sse([
      piece({ tool_calls: [{ index: 0, id: "call_1", function: { name, arguments: JSON.stringify(args) } }] }),
      piece({}, "tool_calls"),
      { data: "[DONE]" },
    ]),
  );

const MODELS = {
  data: [
    { id: "seeing", architecture: { input_modalities: ["text", "image"] } },
    { id: "blind", architecture: { input_modalities: ["text"] } },
    { id: "unknown" },
  ],
};

interface Asked {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

async function withS3(): Promise<{ env: Record<string, string>; stop: () => Promise<void> }> {
  const { bucket, endpoint, credentials, stop } = await startS3();
  const env = {
    PARLEY_S3_BUCKET: bucket,
    PARLEY_S3_ENDPOINT: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  return { env, stop };
}

const places = [
  ["in the data folder", async () => ({ env: {}, stop: async () => {} })],
  ["in a bucket", withS3],
] as const;

for (const [place, prepare] of places) {
  describe(`files ${place}`, () => {
    let provider: Provider;
    let parley: Parley;
    let client: Client;
    let prepared: Awaited<ReturnType<typeof prepare>>;
    let reply: (asked: Asked) => Reply = () => says("I see.");
    before(async () => {
      prepared = await prepare();
      provider = await startProvider(({ path, body }) =>
        path.endsWith("/models") ? failed(200, MODELS) : reply(body as Asked),
      );
      parley = await startParley({ COMPATIBLE_BASE_URL: `${provider.url}/v1`, ...prepared.env });
      client = createClient({ url: `${parley.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
    });
    after(async () => {
      client?.close();
      await parley?.remove();
      await provider?.close();
      await prepared?.stop();
    });

    const upload = () =>
      Promise.all([
        client.files.upload("dot.png", "image/png", new Uint8Array(PNG)),
        client.files.upload("notes.txt", "text/plain", new TextEncoder().encode(NOTES)),
      ]);

    async function ask(
      model: string,
      text: string,
      files: readonly FilePart[],
      conversationId?: string,
    ): Promise<{ run: Run; messages: readonly Message[]; conversationId: string }> {
      const id = conversationId ?? (await client.call("conversation.create", {})).conversation.id;
      const { runId } = await client.call("chat.send", {
        conversationId: id,
        text,
        model: `compatible/${model}`,
        parts: files.map(({ fileId }) => ({ type: "file", fileId })),
        idempotencyKey: crypto.randomUUID(),
      });
      let run: Run | undefined;
      await until(
        async () => {
          ({ run } = await client.call("run.get", { runId }));
          return ["completed", "failed", "waiting"].includes(run.status);
        },
        "the run to end or wait",
        30_000,
      );
      assert.ok(run);
      return {
        run,
        messages: (await client.call("conversation.get", { conversationId: id })).messages,
        conversationId: id,
      };
    }

    const lastAsked = (): Asked =>
      provider.requests.findLast(({ path }) => path.endsWith("/completions"))?.body as Asked;
    const questionOf = ({ messages }: Asked): unknown => messages.findLast(({ role }) => role === "user")?.content;
    const textOf = (content: unknown): string => JSON.stringify(content).replaceAll('\\"', '"');

    test("a picture arrives at a model that sees, byte by byte, and text as text", LIMIT, async () => {
      const files = await upload();
      const { run, messages } = await ask("seeing", "What is this?", files);
      assert.equal(run.status, "completed", run.error?.message);
      assert.deepEqual(messages[0]?.parts, [{ type: "text", text: "What is this?" }, ...files]);
      const content = questionOf(lastAsked()) as { type: string }[];
      assert.deepEqual(content[1], { type: "image_url", image_url: { url: DATA_URL } });
      assert.match(textOf(content), /What is this\?/);
      assert.ok(textOf(content).includes(NOTES));
    });

    test("a model that sees no pictures is told of it instead, and gets the text", LIMIT, async () => {
      const { run, conversationId } = await ask("blind", "What is this?", await upload());
      assert.equal(run.status, "completed", run.error?.message);
      const content = textOf(questionOf(lastAsked()));
      assert.doesNotMatch(content, /image_url|base64/);
      assert.match(content, /A picture, dot\.png, is attached here\. This model can't see pictures\./);
      assert.ok(content.includes(NOTES));
      // Of the branch's earlier messages too.
      await ask("seeing", "And now?", [], conversationId);
      assert.ok(textOf(lastAsked().messages).includes(DATA_URL));
      await ask("blind", "And now?", [], conversationId);
      assert.doesNotMatch(textOf(lastAsked().messages), /image_url/);
    });

    test("a model that says nothing of pictures gets them", LIMIT, async () => {
      await ask("unknown", "What is this?", await upload());
      assert.ok(textOf(questionOf(lastAsked())).includes(DATA_URL));
    });

    test("whoever has a link gets the files of its conversation and no other, until it is revoked", LIMIT, async () => {
      reply = () => says("I see.");
      const [sent, unsent] = await upload();
      const { conversationId } = await ask("seeing", "Look", [sent]);
      const { shareToken } = await client.call("share.create", { conversationId });
      const owner = { authorization: `Bearer ${await sessionToken(parley)}` };
      const get = async ({ fileId }: FilePart, headers: Record<string, string>) => {
        const response = await fetch(`${parley.url}/files/${fileId}`, { headers });
        return [response.status, (await response.arrayBuffer()).byteLength, response.headers.get("cache-control")];
      };
      const reader = { ...owner, "x-share-token": shareToken };
      assert.deepEqual(await get(sent, reader), [200, PNG.length, "private, no-store"]);
      assert.equal((await get(unsent, reader))[0], 404);
      assert.equal((await get(unsent, owner))[0], 200);
      assert.equal((await get(sent, { "x-share-token": shareToken }))[0], 401);
      await client.call("share.revoke", { conversationId });
      assert.equal((await get(sent, reader))[0], 404);
    });

    test("an owner reads the files back; nobody else, and nobody after file_delete", LIMIT, async () => {
      const [png, notes] = await upload();
      const token = await sessionToken(parley);
      const get = (fileId: string, headers: Record<string, string>) =>
        fetch(`${parley.url}/files/${fileId}`, { headers });
      const owner = { authorization: `Bearer ${token}` };
      const read = await get(png.fileId, owner);
      assert.deepEqual([read.status, read.headers.get("content-type")], [200, "image/png"]);
      assert.ok(PNG.equals(Buffer.from(await read.arrayBuffer())));
      assert.equal((await get(png.fileId, {})).status, 401);

      reply = ({ messages }) =>
        messages.at(-1)?.role === "tool" ? says("Gone.") : calls("file_delete", { name: "notes.txt" });
      const { run, conversationId } = await ask("seeing", "Delete the notes", [png, notes]);
      assert.equal(run.status, "waiting");
      const { approvals } = await client.call("approval.list", {});
      const approvalId = approvals.find((one) => one.conversationId === conversationId)?.id;
      assert.ok(approvalId !== undefined);
      await client.call("approval.decide", { approvalId, decision: "approve" });
      await until(async () => (await get(notes.fileId, owner)).status === 404, "the file to be gone");
      assert.equal((await get(png.fileId, owner)).status, 200);
      if (place === "in the data folder") {
        const names = readdirSync(join(parley.dataDir, "data/files"), { recursive: true }).map(String);
        assert.ok(names.some((name) => name.endsWith(png.fileId)));
        assert.ok(!names.some((name) => name.endsWith(notes.fileId)));
      }
      await until(
        async () => (await client.call("run.get", { runId: run.id })).run.status === "completed",
        "the run's end",
      );
      reply = () => says("I see.");
      await ask("seeing", "What did they say?", [], conversationId);
      const asked = textOf(lastAsked().messages);
      assert.match(asked, /The file notes\.txt is not there any more/);
      assert.ok(!asked.includes(NOTES) && asked.includes(DATA_URL));
    });
  });
}

async function sessionToken({ url }: Parley): Promise<string> {
  const { port } = new URL(url);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  socket.addEventListener("error", () => reject(new Error("no socket")));
  socket.addEventListener("open", () =>
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "login", params: { token: ACCESS_TOKEN } })),
  );
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(String(data)) as { id?: number; result?: { sessionToken: string } };
    if (frame.id === 1) resolve(frame.result?.sessionToken ?? "");
  });
  const token = await promise;
  socket.close();
  return token;
}
