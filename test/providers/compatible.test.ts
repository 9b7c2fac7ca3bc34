import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createCompatible } from "../../src/models/compatible.ts";
import type { ModelMessage, ModelRequest } from "../../src/ports/model.ts";
import { behaviourTests } from "./behaviour.ts";
import { CASES, type CaseName } from "./cases.ts";
import { sinkLog } from "./sink-log.ts";
import { failed, type Script, sse, startProvider, streamed } from "./sse-server.ts";
import { transcriptTests } from "./transcript.ts";

const none: Partial<Record<CaseName, string>> = {};

function dialect(provider: string, model: string, cases: readonly CaseName[] | "all", path = "/v1") {
  const others = CASES.filter((name) => cases !== "all" && !cases.includes(name));
  transcriptTests({
    provider,
    model: `compatible/${model}`,
    create: (url) => createCompatible({ name: "compatible", baseUrl: url + path, apiKey: "sk-test", refreshMs: 0 }),
    without:
      cases === "all" ? none : Object.fromEntries(others.map((name) => [name, "as transcripts/compatible shows"])),
  });
}

// Each dialect shows where it differs.
dialect("compatible", "llama-3.3-70b", "all");
dialect("ollama", "qwen3:8b", ["one-tool", "parallel-tools", "reasoning", "mid-stream-error"]);
dialect("vllm", "Qwen/Qwen3-8B", ["reasoning", "one-tool", "mid-stream-error", "context-overflow"]);
dialect("lmstudio", "qwen/qwen3-8b", ["reasoning", "one-tool", "mid-stream-error"]);
dialect("groq", "openai/gpt-oss-120b", ["reasoning", "mid-stream-error"]);
dialect("mistral", "magistral-medium-latest", [
  "text",
  "reasoning",
  "parallel-tools",
  "max-tokens",
  "context-overflow",
]);
dialect("deepseek", "deepseek-v4-pro", ["reasoning", "one-tool", "status-402", "refusal"], "");
dialect("xai", "grok-4.5", ["reasoning", "one-tool", "context-overflow"]);
dialect("openrouter", "anthropic/claude-sonnet-5", ["reasoning", "mid-stream-error", "refusal"], "/api/v1");

const chunk = (delta: object, finish_reason: string | null = null) => ({
  data: JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] }),
});

const beginning = (deltas: readonly string[]) => sse(deltas.map((content) => chunk({ content })));
behaviourTests({
  provider: "compatible",
  model: "compatible/m",
  create: (url) => createCompatible({ name: "compatible", baseUrl: `${url}/v1`, refreshMs: 0 }),
  beginning,
  answer: (deltas) => beginning(deltas) + sse([chunk({}, "stop"), { data: "[DONE]" }]),
});

const question: ModelMessage = { role: "user", content: [{ type: "text", text: "Hi" }] };
const request = (...messages: ModelMessage[]): ModelRequest => ({
  model: "compatible/m",
  messages: [question, ...messages],
  tools: [],
  cacheKey: "c",
});
const hello = streamed(sse([chunk({ content: "Hi" }), chunk({}, "stop"), { data: "[DONE]" }]));
const never = new AbortController().signal;

async function serving(t: TestContext, script: Script, apiKey?: string) {
  const server = await startProvider(script);
  const provider = createCompatible({
    name: "compatible",
    baseUrl: `${server.url}/v1`,
    refreshMs: 0,
    ...(apiKey !== undefined && { apiKey }),
  });
  t.after(async () => {
    provider.close();
    await server.close();
  });
  return { server, provider, bodies: () => server.requests.map(({ body }) => body as Record<string, unknown>) };
}

test("compatible: a key goes as a bearer token; without one none is sent; nothing is told about this machine", async (t) => {
  const withKey = await serving(t, [hello], "sk-test");
  await withKey.provider.stream(request(), sinkLog().sink, never);
  const without = await serving(t, [hello]);
  await without.provider.stream(request(), sinkLog().sink, never);
  const [[sent], [plain]] = [withKey.server.requests, without.server.requests];
  assert.equal(sent?.path, "/v1/chat/completions");
  assert.equal(sent?.headers.authorization, "Bearer sk-test");
  assert.equal(plain?.headers.authorization, undefined);
  const known = ["accept", "authorization", "connection", "content-length", "content-type", "host", "user-agent"];
  assert.deepEqual(Object.keys(sent?.headers ?? {}).toSorted(), known);
});

test("compatible: a server that refuses stream_options is asked with them once", async (t) => {
  const refusal = failed(400, { error: { message: "Unknown field: stream_options" } });
  const { provider, bodies } = await serving(t, [refusal, hello, hello]);
  await assert.rejects(provider.stream(request(), sinkLog().sink, never), { kind: "transport", status: 400 });
  for (let i = 0; i < 2; i++) await provider.stream(request(), sinkLog().sink, never);
  assert.deepEqual(
    bodies().map((body) => "stream_options" in body),
    [true, false, false],
  );
});

test("compatible: a server that refuses its own reasoning back gets it once", async (t) => {
  const refusal = failed(422, {
    detail: [{ loc: ["body", "messages", 1, "reasoning"], msg: "Extra inputs are not permitted" }],
  });
  const { provider, bodies } = await serving(t, [refusal, hello]);
  const called: ModelMessage = {
    role: "assistant",
    content: [{ type: "tool-call", toolCallId: "a", name: "clock", args: {} }],
    continuation: { chat: 1, model: "m", reasoning: { field: "reasoning", text: "Hm." } },
  };
  await assert.rejects(provider.stream(request(called), sinkLog().sink, never), { kind: "transport" });
  await provider.stream(request(called), sinkLog().sink, never);
  assert.deepEqual(
    bodies().map(({ messages }) => "reasoning" in (messages as object[])[1]!),
    [true, false],
  );
});

test("compatible: a key that the server repeats is not told", async (t) => {
  const { provider } = await serving(t, [failed(400, { error: { message: "bad header abcdef123" } })], "abcdef123");
  await assert.rejects(provider.stream(request(), sinkLog().sink, never), {
    message: "The model server did not accept the request: bad header …",
  });
});

test("compatible: an answer that is whole is not held up by a server that never ends it", async (t) => {
  const { provider } = await serving(t, [
    streamed(sse([chunk({ content: "Hi" }), chunk({}, "stop")]), { end: "stall" }),
  ]);
  const answer = await provider.stream(request(), sinkLog().sink, never);
  assert.equal(answer.stop, "end");
});

test("compatible: calls of one id get ids of their own, also beside those of the conversation", async (t) => {
  const call = (index: number, args: string) =>
    chunk({ tool_calls: [{ index, id: "same", function: { name: "clock", arguments: args } }] });
  const { provider } = await serving(t, [
    streamed(sse([call(0, "{}"), call(1, '{"a":1}'), call(1, '{"b":1}'), chunk({}, "tool_calls")])),
  ]);
  const before: ModelMessage = {
    role: "assistant",
    content: [{ type: "tool-call", toolCallId: "same", name: "clock", args: {} }],
  };
  const log = sinkLog();
  await provider.stream(request(before), log.sink, never);
  const ids = log.calls.flatMap(([kind, id]) => (kind === "toolCall" ? [id] : []));
  assert.equal(new Set([...ids, "same"]).size, 4);
  assert.deepEqual(
    log.calls.flatMap(([kind, id, args]) => (kind === "toolArgs" ? [[id, args]] : [])),
    [
      [ids[0], "{}"],
      [ids[1], '{"a":1}'],
      [ids[2], '{"b":1}'],
    ],
  );
});

test("compatible: reasoning that is too large to keep is left out", async (t) => {
  const calls = { tool_calls: [{ index: 0, id: "a", function: { name: "clock", arguments: "{}" } }] };
  const { provider } = await serving(t, [
    streamed(sse([chunk({ reasoning_content: "x".repeat(300_000) }), chunk(calls), chunk({}, "tool_calls")])),
  ]);
  const answer = await provider.stream(request(), sinkLog().sink, never);
  assert.deepEqual([answer.stop, answer.continuation], ["tool-calls", undefined]);
});

test("compatible: an abort from inside of the sink is the last that it hears of one event too", async (t) => {
  const { provider } = await serving(t, [streamed(sse([chunk({ reasoning_content: "Hm.", content: "Hi" })]))]);
  const abort = new AbortController();
  const log = sinkLog();
  const sink = {
    ...log.sink,
    reasoning(delta: string) {
      log.sink.reasoning(delta);
      abort.abort();
      log.close();
    },
  };
  assert.equal((await provider.stream(request(), sink, abort.signal)).stop, "aborted");
  assert.deepEqual(log.calls, [["reasoning", "Hm."]]);
});

test("compatible: the models of the server are listed and others passed through", async (t) => {
  const server = await startProvider([failed(200, { data: [{ id: "m" }] }), hello]);
  const provider = createCompatible({ name: "compatible", baseUrl: `${server.url}/v1` });
  t.after(async () => {
    provider.close();
    await server.close();
  });
  assert.deepEqual(provider.list(), []);
  await provider.listed;
  assert.deepEqual(
    provider.list().map(({ id }) => id),
    ["compatible/m"],
  );
  assert.ok(provider.passesThrough);
  await provider.stream({ ...request(), model: "compatible/vendor/other:1b" }, sinkLog().sink, never);
  assert.deepEqual(
    server.requests.slice(1).map(({ body }) => (body as { model: string }).model),
    ["vendor/other:1b"],
  );
});
