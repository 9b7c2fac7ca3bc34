import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { failed, type Reply, type Script, startProvider } from "../../test/providers/sse-server.ts";
import { until } from "../../test/support/until.ts";
import { createModelList, findOllama } from "./compatible-models.ts";

const json = (value: unknown): Reply => failed(200, value as object);
const never: Reply = { headers: { "content-type": "application/json" }, steps: [{ send: "{" }, { end: "stall" }] };

async function listing(t: TestContext, script: Script, refreshMs?: number) {
  const server = await startProvider(script);
  const models = createModelList({
    provider: "compatible",
    baseUrl: `${server.url}/v1/`,
    apiKey: "sk-test",
    known: [{ id: "compatible/known", provider: "compatible", name: "known", available: true }],
    ...(refreshMs !== undefined && { refreshMs }),
  });
  t.after(async () => {
    models.close();
    await server.close();
  });
  return { server, models };
}

for (const [server, answer, expected] of [
  [
    "vLLM",
    { object: "list", data: [{ id: "Qwen/Qwen3-8B", object: "model", max_model_len: 40_960 }] },
    { id: "Qwen/Qwen3-8B", contextTokens: 40_960 },
  ],
  [
    "Groq",
    { data: [{ id: "whisper-large-v3" }, { id: "openai/gpt-oss-120b", context_window: 131_072 }] },
    { id: "openai/gpt-oss-120b", contextTokens: 131_072 },
  ],
  [
    "Mistral",
    {
      data: [
        { id: "mistral-embed", capabilities: { completion_chat: false } },
        { id: "x-ocr", capabilities: { completion_chat: false } },
        { id: "pixtral", capabilities: { completion_chat: true, vision: true }, max_context_length: 128_000 },
      ],
    },
    { id: "pixtral", images: true, contextTokens: 128_000 },
  ],
  [
    "OpenRouter",
    {
      data: [
        { id: "a/b", name: "A: B", context_length: 200_000, architecture: { input_modalities: ["text", "image"] } },
      ],
    },
    { id: "a/b", name: "A: B", images: true, contextTokens: 200_000 },
  ],
  [
    "OpenRouter, a model without eyes",
    { data: [{ id: "a/c", architecture: { input_modalities: ["text"] } }] },
    { id: "a/c", images: false },
  ],
  [
    "Together",
    [
      { id: "x/flux", type: "image" },
      { id: "x/llama", type: "chat", context_length: 8192 },
    ],
    { id: "x/llama", contextTokens: 8192 },
  ],
  [
    "llama.cpp",
    { models: [], data: [{ id: "m.gguf", meta: { n_ctx_train: 4096 } }] },
    { id: "m.gguf", contextTokens: 4096 },
  ],
  ["LM Studio", { data: [{ id: "text-embedding-nomic" }, { id: "qwen/qwen3-8b" }] }, { id: "qwen/qwen3-8b" }],
  ["one that says little", { data: [{}, null, { id: 7 }, { id: "x".repeat(201) }, { id: "m" }] }, { id: "m" }],
] as const) {
  test(`models of a server: ${server}`, async (t) => {
    const { server: provider, models } = await listing(t, [json(answer)]);
    await models.looked;
    const { id, ...rest } = expected;
    assert.deepEqual(models.current(), [
      { id: `compatible/${id}`, provider: "compatible", name: id, available: true, ...rest },
    ]);
    assert.equal(provider.requests[0]?.path, "/v1/models");
    assert.equal(provider.requests[0]?.headers.authorization, "Bearer sk-test");
  });
}

for (const [what, reply] of [
  ["an error", failed(500, "no")],
  ["something else", json({ hello: 1 })],
  ["no JSON", json("<html>" as unknown as object)],
  ["nothing", { steps: "dropped" } satisfies Reply],
] as const) {
  test(`models of a server: ${what} changes nothing`, async (t) => {
    const { models } = await listing(t, [reply]);
    await models.looked;
    assert.deepEqual(
      models.current().map(({ id }) => id),
      ["compatible/known"],
    );
  });
}

test("models of a server: at most 500 of them", async (t) => {
  const { models } = await listing(t, [json({ data: Array.from({ length: 2000 }, (_, i) => ({ id: `m${i}` })) })]);
  await models.looked;
  assert.equal(models.current().length, 500);
});

test("models of a server: they are looked up again and again, one look at a time", async (t) => {
  let asked = 0;
  const { models } = await listing(t, () => json({ data: [{ id: `m${++asked}` }] }), 5);
  await until(() => models.current()[0]?.id === "compatible/m3", "the third look");
  models.close();
});

test("models of a server: a server that does not answer holds nobody up", async (t) => {
  const { server, models } = await listing(t, () => never, 5);
  assert.deepEqual(
    models.current().map(({ id }) => id),
    ["compatible/known"],
  );
  await until(() => server.requests.length === 1, "the look");
  models.close();
  await models.looked;
  assert.equal(server.requests.length, 1);
});

test("models of a server: not asked when that is switched off", async (t) => {
  const { server, models } = await listing(t, [], 0);
  await models.looked;
  assert.equal(server.requests.length, 0);
});

test("an Ollama that is there is found, with its models", async (t) => {
  const tags = {
    models: [
      { name: "qwen3:8b", model: "qwen3:8b", details: { family: "qwen3" } },
      { name: "minilm:latest", details: { family: "bert" } },
      { name: "nomic-embed-text:latest", details: { family: "nomic-bert" } },
    ],
  };
  const server = await startProvider([json(tags)]);
  t.after(() => server.close());
  const found = await findOllama({ address: server.url });
  assert.equal(server.requests[0]?.path, "/api/tags");
  assert.deepEqual(found, {
    baseUrl: `${server.url}/v1`,
    models: [{ id: "compatible/qwen3:8b", provider: "compatible", name: "qwen3:8b", available: true }],
  });
});

for (const [what, reply] of [
  ["is another server", json({ hello: 1 })],
  ["refuses", failed(404, "no")],
  ["does not answer in time", never],
] as const) {
  test(`no Ollama is found where somebody ${what}`, async (t) => {
    const server = await startProvider([reply]);
    t.after(() => server.close());
    assert.equal(await findOllama({ address: server.url, limitMs: 50 }), undefined);
  });
}

test("no Ollama is found where nobody listens", async () => {
  const server = await startProvider([]);
  await server.close();
  assert.equal(await findOllama({ address: server.url }), undefined);
});
