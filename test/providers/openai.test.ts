import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createOpenAI } from "../../src/models/openai.ts";
import type { ModelRequest } from "../../src/ports/model.ts";
import { behaviourTests } from "./behaviour.ts";
import { sinkLog } from "./sink-log.ts";
import { failed, type Script, sse, startProvider, streamed } from "./sse-server.ts";
import { transcriptTests, type Transcripts } from "./transcript.ts";

const transcripts: Transcripts = {
  provider: "openai",
  model: "openai/gpt-6.1-sol",
  create: (baseUrl) => createOpenAI({ apiKey: "sk-test-0123456789", baseUrl }),
  eventName: (data) => (typeof data === "object" && data !== null && "type" in data ? String(data.type) : undefined),
  without: {},
};

transcriptTests(transcripts);

const request = (model = "openai/gpt-6.1-sol"): ModelRequest => ({
  model,
  messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
  tools: [],
  cacheKey: "c",
});
const event = (type: string, fields: object = {}) => ({ event: type, data: JSON.stringify({ type, ...fields }) });
const item = (fields: object, index = 0) => event("response.output_item.done", { output_index: index, item: fields });
const call = (index: number) =>
  item({ type: "function_call", id: `fc_${index}`, call_id: "same", name: "clock", arguments: "{}" }, index);
const completed = event("response.completed", { response: { usage: { input_tokens: 3, output_tokens: 2 } } });
const hello = streamed(sse([event("response.output_text.delta", { delta: "Hi" }), completed]));
const signal = new AbortController().signal;

const beginning = (deltas: readonly string[]) =>
  sse(deltas.map((delta) => event("response.output_text.delta", { delta })));
behaviourTests({
  provider: "openai",
  model: "openai/gpt-6.1-sol",
  create: (baseUrl) => createOpenAI({ apiKey: "sk-test-0123456789", baseUrl }),
  beginning,
  answer: (deltas) => beginning(deltas) + sse([completed]),
});

async function serving(t: TestContext, script: Script) {
  const server = await startProvider(script);
  const provider = createOpenAI({ apiKey: "sk-test-0123456789", baseUrl: `${server.url}/v1` });
  t.after(async () => {
    provider.close();
    await server.close();
  });
  return { server, provider };
}

test("OpenAI: the key goes as a bearer token, to the path below the given address", async (t) => {
  const { server, provider } = await serving(t, [hello]);
  await provider.stream(request(), sinkLog().sink, signal);
  const [sent] = server.requests;
  assert.equal(sent?.path, "/v1/responses");
  assert.equal(sent?.headers.authorization, "Bearer sk-test-0123456789");
  assert.equal(sent?.headers["openai-organization"], undefined);
});

test("OpenAI: two calls of one id get ids of their own, and what goes back has the same", async (t) => {
  const reasoning = item({ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "x" }, 0);
  const { provider } = await serving(t, [streamed(sse([reasoning, call(1), call(2), completed]))]);
  const log = sinkLog();
  const { continuation } = await provider.stream(request(), log.sink, signal);
  const ids = log.calls.filter(([kind]) => kind === "toolCall").map(([, id]) => id);
  assert.equal(new Set(ids).size, 2);
  const { items } = continuation as { items: { call_id?: string }[] };
  assert.deepEqual(
    items.slice(1).map((each) => each.call_id),
    ids,
  );
});

test("OpenAI: reasoning that is too large to keep is left out, so that the calls go back without it", async (t) => {
  const reasoning = item({ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "x".repeat(300_000) }, 0);
  const { provider } = await serving(t, [streamed(sse([reasoning, call(1), completed]))]);
  const answer = await provider.stream(request(), sinkLog().sink, signal);
  assert.equal(answer.stop, "tool-calls");
  assert.equal(answer.continuation, undefined);
});

test("OpenAI: an account without summaries is asked for them once", async (t) => {
  const refusal = {
    error: { message: "Unsupported value", param: "reasoning.summary", type: "invalid_request_error" },
  };
  const { server, provider } = await serving(t, [failed(400, refusal), hello, hello]);
  await assert.rejects(provider.stream(request(), sinkLog().sink, signal), { kind: "transport", status: 400 });
  for (let i = 0; i < 2; i++) await provider.stream(request(), sinkLog().sink, signal);
  const asked = server.requests.map(({ body }) => (body as { reasoning?: unknown }).reasoning);
  assert.deepEqual(asked, [{ summary: "auto" }, undefined, undefined]);
});

test("OpenAI: a model without reasoning is asked for none of it", async (t) => {
  const { server, provider } = await serving(t, () => hello);
  for (const model of ["gpt-4.1", "gpt-4o", "gpt-5-chat-latest", "o4-mini", "gpt-5.4-nano"]) {
    await provider.stream(request(`openai/${model}`), sinkLog().sink, signal);
  }
  assert.deepEqual(
    server.requests.map(({ body }) => "include" in (body as object)),
    [false, false, false, true, true],
  );
});

test("OpenAI: its models are listed with what they read", () => {
  const provider = createOpenAI({ apiKey: "k" });
  assert.ok(provider.passesThrough);
  for (const info of provider.list()) {
    assert.match(info.id, /^openai\/gpt-/);
    assert.ok(info.available && info.images && (info.contextTokens ?? 0) > 100_000);
  }
  provider.close();
});
