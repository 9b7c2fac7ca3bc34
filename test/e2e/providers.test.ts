/** The built program with a provider that fails in every way [R9]: what a person sees, and what the provider gets. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Client, createClient } from "../../src/client/client.ts";
import type { ParleyEvent } from "../../src/protocol/events.ts";
import type { Message, Run } from "../../src/protocol/shapes.ts";
import { dropped, failed, type Provider, type Reply, sse, startProvider, streamed } from "../providers/sse-server.ts";
import { ACCESS_TOKEN, type Parley, startParley } from "../support/parley.ts";
import { until } from "../support/until.ts";

const KEY = "key-of-the-model-server-0123456789";
const LIMIT = { timeout: 120_000 };

const chunk = (delta: object, finish: string | null = null) => ({
  data: JSON.stringify({
    id: "c",
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: finish }],
  }),
});
const usage = {
  data: JSON.stringify({
    id: "c",
    choices: [],
    usage: { prompt_tokens: 1000, completion_tokens: 10, total_tokens: 1010 },
  }),
};
const answer = streamed(
  sse([chunk({ content: "All " }), chunk({ content: "well." }, "stop"), usage, { data: "[DONE]" }]),
);
const begun = sse([chunk({ content: "Half an ans" })]);
const busy = failed(529, { error: { message: "overloaded" } });

/** What the model of that name does at its first calls; afterwards it answers. */
const SCRIPTS: Readonly<Record<string, readonly Reply[]>> = {
  fine: [],
  "busy-twice": [busy, failed(429, { error: { message: "slow down" } }, { "retry-after": "1" })],
  unreachable: [dropped, dropped, dropped, dropped, dropped],
  refused: [failed(401, { error: { message: `Incorrect API key provided: ${KEY}` } })],
  wrong: [failed(400, { error: { message: "messages: nothing there" } })],
  cut: [streamed(begun, { end: "cut" })],
  silent: [streamed("", { end: "stall" }), streamed("", { end: "stall" })],
  "falls-silent": [streamed(begun, { end: "stall" })],
};
/** Models that fail for as long as they are in here. */
const dead = new Set(["dead"]);

const calls = new Map<string, number>();
const MODELS = { data: ["fine", "dead"].map((id) => ({ id, object: "model" })) };

let provider: Provider;
let parley: Parley;
let client: Client;
before(async () => {
  provider = await startProvider(({ path, body }) => {
    if (path.endsWith("/models")) return failed(200, MODELS);
    const { model } = body as { model: string };
    const call = calls.get(model) ?? 0;
    calls.set(model, call + 1);
    return dead.has(model) ? busy : (SCRIPTS[model]?.[call] ?? answer);
  });
  parley = await startParley({
    COMPATIBLE_BASE_URL: `${provider.url}/v1`,
    COMPATIBLE_API_KEY: KEY,
    PARLEY_FALLBACK_MODELS: "demo",
    PARLEY_FIRST_TOKEN_MS: "2000",
    PARLEY_SILENCE_MS: "1000",
  });
  client = createClient({ url: `${parley.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
});
after(async () => {
  client?.close();
  await parley?.remove();
  await provider?.close();
});

type Notice = Extract<ParleyEvent, { name: "run.notice" }>["value"];

/** Asks the model, in a conversation of its own, and waits for the end of the run. */
async function ask(name: string | undefined): Promise<{ run: Run; message: Message; text: string; notices: Notice[] }> {
  const { conversation } = await client.call("conversation.create", {});
  const conversationId = conversation.id;
  const notices: Notice[] = [];
  const subscription = client.subscribe(`conversation:${conversationId}`, {
    snapshot() {},
    event(event) {
      if (event.type === "CUSTOM" && event.name === "run.notice") notices.push(event.value);
    },
  });
  const { runId } = await client.call("chat.send", {
    conversationId,
    text: "count to 3",
    ...(name !== undefined && { model: `compatible/${name}` }),
    idempotencyKey: conversationId,
  });
  let run: Run | undefined;
  await until(
    async () => {
      ({ run } = await client.call("run.get", { runId }));
      return ["completed", "failed", "stopped"].includes(run.status);
    },
    "the run to end",
    60_000,
  );
  subscription.close();
  const { messages } = await client.call("conversation.get", { conversationId });
  const message = messages.find(({ id }) => id === run?.assistantMessageId);
  assert.ok(run && message);
  const text = message.parts.map((part) => (part.type === "text" ? part.text : `[${part.type}]`)).join("");
  return { run, message, text, notices };
}

async function metric(name: string): Promise<number | undefined> {
  const body = await (await fetch(`${parley.url}/metrics`)).text();
  const line = body.split("\n").find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

test("a configured server's first model is the default, and its answers are counted", LIMIT, async () => {
  const { models } = await client.call("model.list", {});
  assert.deepEqual(
    models.map(({ id }) => id),
    ["compatible/fine", "compatible/dead", "demo"],
  );
  const { run, text } = await ask(undefined);
  assert.deepEqual([run.status, run.model, text], ["completed", "compatible/fine", "All well."]);
  assert.equal(await metric('parley_model_calls_total{model="compatible/fine",outcome="ok"}'), 1);
  assert.equal(await metric('parley_model_tokens_total{model="compatible/fine",kind="input"}'), 1000);
});

test("[R9] a busy provider is asked again, and the person is told; the answer comes once", LIMIT, async () => {
  const { run, text, notices } = await ask("busy-twice");
  assert.deepEqual([run.status, text, calls.get("busy-twice")], ["completed", "All well.", 3]);
  assert.deepEqual(
    notices.map(({ kind }) => kind),
    ["retrying", "retrying"],
  );
  assert.match(notices[1]?.message ?? "", /limits how often .* asked again in [12] s/);
  assert.ok(Date.parse(notices[1]?.retryAt ?? "") > 0);
});

test("[R9] an unreachable provider and a refused key end at the fallback", LIMIT, async () => {
  for (const [name, asked] of [
    ["unreachable", 4],
    ["refused", 1],
  ] as const) {
    const { run, text, notices } = await ask(name);
    assert.deepEqual([run.status, text], ["completed", "1 2 3"]);
    // A kept connection that its server closed is replaced once, below the attempts: it may have been about to be closed.
    const replaced = (calls.get(name) ?? 0) - asked;
    assert.ok(replaced === 0 || (replaced === 1 && name === "unreachable"), `${name}: ${asked + replaced} requests`);
    assert.equal(notices.at(-1)?.kind, "fallback");
    assert.equal(await metric(`parley_model_fallbacks_total{model="compatible/${name}"}`), 1);
  }
});

test("[R9] a wrong request is asked of nobody else", LIMIT, async () => {
  const { run } = await ask("wrong");
  assert.deepEqual([run.status, run.error?.code, calls.get("wrong")], ["failed", "MODEL_FAILED", 1]);
});

test("[R9] what breaks after the first token keeps its text, and is asked of nobody else", LIMIT, async () => {
  for (const name of ["cut", "falls-silent"]) {
    const { run, message, text, notices } = await ask(name);
    assert.deepEqual([run.status, run.error?.code, text], ["failed", "MODEL_FAILED", "Half an ans"], name);
    assert.deepEqual([message.status, notices.length, calls.get(name)], ["failed", 0, 1]);
  }
  await until(
    () => provider.requests.every(({ abandoned, finished }) => abandoned || finished),
    "the connections' ends",
  );
});

test("[R9] a provider that never speaks is asked twice and then left for the fallback", LIMIT, async () => {
  const { run, text } = await ask("silent");
  assert.deepEqual([run.status, text, calls.get("silent")], ["completed", "1 2 3", 2]);
  assert.equal(await metric('parley_model_calls_total{model="compatible/silent",outcome="stall"}'), 2);
});

test("[R9] a model that fails again and again is left alone, and is back when it answers", LIMIT, async () => {
  const breaker = () => metric('parley_model_breaker_state{model="compatible/dead"}');
  await until(
    async () => (await ask("dead")).text === "1 2 3" && (await breaker()) === 2,
    "the breaker to open",
    60_000,
  );
  const before = calls.get("dead") ?? 0;
  assert.ok(before >= 10 && before <= 20, String(before));
  await ask("dead");
  assert.equal(calls.get("dead"), before, "asked though it is left alone");
  dead.delete("dead");
  await until(async () => (await ask("dead")).text === "All well.", "the model to be asked again", 30_000);
  assert.equal(await breaker(), 0);
  assert.equal(calls.get("dead"), before + 1);
});

test("[R9] no error, no log line and no answer holds the key", LIMIT, async () => {
  assert.ok(provider.requests.some(({ headers }) => headers.authorization === `Bearer ${KEY}`));
  assert.match(parley.errors, /a model call failed/);
  assert.ok(!parley.errors.includes(KEY));
});
