import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { ModelError, type ModelMessage, type ModelRequest, type ModelSink } from "../ports/model.ts";
import { createDemoModel, type DemoFault } from "./demo.ts";

/** A demo model on a clock that the test moves. */
function paced(t: TestContext, tokensPerSecond?: number, fault?: (request: ModelRequest) => DemoFault | undefined) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let now = 0;
  const model = createDemoModel({
    now: () => now,
    ...(tokensPerSecond === undefined ? {} : { tokensPerSecond }),
    ...(fault === undefined ? {} : { fault }),
  });
  t.after(() => model.close());
  return {
    model,
    pass: (ms: number, stepMs = 5) => {
      for (const until = now + ms; now < until;) {
        now += stepMs;
        t.mock.timers.tick(stepMs);
      }
    },
  };
}

const ask = (...texts: string[]): ModelRequest => ({
  model: "demo",
  messages: texts.map((text, i): ModelMessage => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: [{ type: "text", text }],
  })),
  tools: ["calculator", "clock", "plan"].map((name) => ({ name, description: name, parameters: { type: "object" } })),
  cacheKey: "c",
});

/** Keeps what it is told: text as it is, the rest with its kind before it. */
function collector() {
  const deltas: string[] = [];
  const ids: string[] = [];
  const named = (id: string) => (ids.includes(id) ? ids.indexOf(id) : ids.push(id) - 1);
  const sink: ModelSink = {
    text: (delta) => void deltas.push(delta),
    reasoning: (delta) => void deltas.push(`think ${delta}`),
    toolCall: (id, name) => void deltas.push(`call ${named(id)} ${name}`),
    toolArgs: (id, delta) => void deltas.push(`args ${named(id)} ${delta}`),
  };
  return { ...sink, deltas, ids };
}

const signal = new AbortController().signal;
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1).join(" ");

for (const [question, answer] of [
  ["count to 1", "1"],
  ["count to 12", upTo(12)],
  ["  Count TO 3\n", "1 2 3"],
  ["please count to 4.", "1 2 3 4"],
] as const) {
  test(`${JSON.stringify(question)} streams the numbers and nothing else`, async (t) => {
    const { model, pass } = paced(t);
    const sink = collector();
    const ended = model.stream(ask(question), sink, signal);
    pass(1000);
    const { stop, usage } = await ended;
    assert.equal(sink.deltas.join(""), answer);
    assert.equal(stop, "end");
    assert.equal(usage.outputTokens, answer.split(" ").length);
    assert.equal(usage.inputTokens, question.trim().split(" ").length);
  });
}

test("anything else gets a short answer that says what this is", async (t) => {
  const { model, pass } = paced(t);
  const sink = collector();
  const ended = model.stream(ask("hello"), sink, signal);
  pass(5000);
  await ended;
  const text = sink.deltas.join("");
  assert.match(text, /^This is the demo model/);
  assert.equal(text, text.trim());
});

test("the last message of a person decides", async (t) => {
  const { model, pass } = paced(t);
  const sink = collector();
  const ended = model.stream(ask("count to 9", upTo(9), "count to 2", "count to 7"), sink, signal);
  pass(1000);
  await ended;
  assert.equal(sink.deltas.join(""), "1 2");
});

test("tokens come one by one at the asked pace, also after a stall", async (t) => {
  const { model, pass } = paced(t, 50);
  const sink = collector();
  const ended = model.stream(ask("count to 1000"), sink, signal);
  // The 51st is due at 1000, and sent within a round of the slots.
  pass(1010);
  assert.equal(sink.deltas.length, 51);
  assert.deepEqual(sink.deltas.slice(0, 3), ["1", " 2", " 3"]);
  pass(1000, 500);
  assert.equal(sink.deltas.length, 101);
  model.close();
  await ended;
});

test("above 100 tokens a second the tokens of a tick share a delta", async (t) => {
  const { model, pass } = paced(t, 100_000);
  const sink = collector();
  const ended = model.stream(ask("count to 50000"), sink, signal);
  pass(1000);
  await ended;
  assert.equal(sink.deltas.join(""), upTo(50_000));
  assert.ok(sink.deltas.length < 500);
  assert.ok(sink.deltas.every((delta) => delta.length <= 2048 + 8));
});

test("abort ends the answer at once, from outside and from inside of the sink", async (t) => {
  const { model, pass } = paced(t);
  const outside = new AbortController();
  const sink = collector();
  const first = model.stream(ask("count to 1000"), sink, outside.signal);

  const inside = new AbortController();
  const own: string[] = [];
  const text = (delta: string) => {
    own.push(delta);
    if (own.length === 3) inside.abort();
  };
  const second = model.stream(ask("count to 1000"), { ...collector(), text }, inside.signal);

  pass(200);
  outside.abort();
  const before = sink.deltas.length;
  pass(1000, 500);
  assert.deepEqual((await first).stop, "aborted");
  assert.equal((await first).usage.outputTokens, before);
  assert.equal(sink.deltas.length, before);
  assert.equal((await second).stop, "aborted");
  assert.deepEqual(own, ["1", " 2", " 3"]);

  const late = await model.stream(ask("count to 5"), sink, AbortSignal.abort());
  assert.deepEqual(late, { stop: "aborted", usage: { inputTokens: 3, outputTokens: 0 } });
});

test("a sink that throws fails its own stream only", async (t) => {
  const { model, pass } = paced(t);
  const broken = model.stream(
    ask("count to 5"),
    {
      ...collector(),
      text() {
        throw new Error("full");
      },
    },
    signal,
  );
  const sink = collector();
  const fine = model.stream(ask("count to 5"), sink, signal);
  pass(1000);
  await assert.rejects(broken, { name: "ModelError", kind: "transport" });
  await fine;
  assert.equal(sink.deltas.join(""), "1 2 3 4 5");
});

test("a thousand streams share one timer, which stops with the last", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let running = 0;
  const { setInterval: start, clearInterval: stop } = globalThis;
  t.mock.method(globalThis, "setInterval", (callback: () => void, ms: number) => {
    running++;
    return start(callback, ms);
  });
  t.mock.method(globalThis, "clearInterval", (timer: NodeJS.Timeout) => {
    running--;
    stop(timer);
  });
  let now = 0;
  const model = createDemoModel({ now: () => now });
  const sinks = Array.from({ length: 1000 }, collector);
  const ends = sinks.map((sink) => model.stream(ask("count to 10"), sink, signal));
  assert.equal(running, 1);
  for (; now < 500; now += 10) t.mock.timers.tick(10);
  await Promise.all(ends);
  assert.ok(sinks.every((sink) => sink.deltas.join("") === "1 2 3 4 5 6 7 8 9 10"));
  assert.equal(running, 0);
});

test("calls stream with their arguments in pieces, each under an id of its own", async (t) => {
  const { model, pass } = paced(t);
  const sink = collector();
  const ended = model.stream(ask("use the calculator: 1+1 and what time is it"), sink, signal);
  pass(50);
  assert.deepEqual(sink.deltas, ["call 0 calculator", 'args 0 {"expr', "args 0 ession", 'args 0 ":"1+1']);
  pass(1000);
  assert.deepEqual((await ended).stop, "tool-calls");
  assert.deepEqual(sink.deltas.slice(4), ['args 0 "}', "call 1 clock", "args 1 {}"]);
  assert.equal((await ended).usage.outputTokens, 5);

  const again = collector();
  const repeated = model.stream(ask("use the calculator: 1+1 and what time is it"), again, signal);
  pass(1000);
  await repeated;
  assert.deepEqual(again.deltas, sink.deltas);
  assert.equal(new Set([...sink.ids, ...again.ids]).size, 4);
});

test("above 100 tokens a second a tick's tokens of a piece share a delta, but never those of two pieces", async (t) => {
  const { model, pass } = paced(t, 100_000);
  const sink = collector();
  const ended = model.stream(ask("think about sums and plan a picnic"), sink, signal);
  pass(100);
  assert.equal((await ended).stop, "tool-calls");
  const kinds = sink.deltas.map((delta) => delta.split(" ", 1)[0] ?? "");
  assert.deepEqual([...new Set(kinds)], ["think", "I", "call", "args"]);
  assert.ok(sink.deltas.length < 8);
  const args = sink.deltas.filter((delta) => delta.startsWith("args 0 ")).map((delta) => delta.slice("args 0 ".length));
  const { tasks } = JSON.parse(args.join("")) as { tasks: unknown[] };
  assert.equal(tasks.length, 4);
});

test("an abort while arguments stream says nothing more", async (t) => {
  const { model, pass } = paced(t);
  const stop = new AbortController();
  const sink = collector();
  const ended = model.stream(ask("use the calculator: 1+1"), sink, stop.signal);
  pass(25);
  stop.abort();
  pass(1000);
  assert.deepEqual(await ended, { stop: "aborted", usage: { inputTokens: 4, outputTokens: 2 } });
  assert.equal(sink.deltas.length, 3);
});

for (const kind of ["throttle", "overload", "transport", "auth", "context"] as const) {
  test(`a fault of a test ends the stream after so many tokens: ${kind}`, async (t) => {
    const { model, pass } = paced(t, 50, ({ messages }) => (messages.length === 1 ? { after: 3, kind } : undefined));
    const sink = collector();
    const broken = model.stream(ask("count to 10"), sink, signal);
    const fine = collector();
    const whole = model.stream(ask("count to 9", "1 2", "count to 3"), fine, signal);
    pass(1000);
    await assert.rejects(broken, (error) => error instanceof ModelError && error.kind === kind);
    assert.deepEqual(sink.deltas, ["1", " 2", " 3"]);
    assert.equal((await whole).stop, "end");
  });
}

test("a stream that a test silences goes on only to be aborted", async (t) => {
  const { model, pass } = paced(t, 50, () => ({ after: 0, kind: "silence" }));
  const sink = collector();
  const stop = new AbortController();
  const ended = model.stream(ask("count to 10"), sink, stop.signal);
  pass(60_000, 500);
  assert.deepEqual(sink.deltas, []);
  stop.abort();
  assert.deepEqual(await ended, { stop: "aborted", usage: { inputTokens: 3, outputTokens: 0 } });
});

test("a closed model ends its streams and takes no more", async (t) => {
  const { model } = paced(t);
  const ended = model.stream(ask("count to 10"), collector(), signal);
  model.close();
  assert.equal((await ended).stop, "aborted");
  await assert.rejects(model.stream(ask("count to 10"), collector(), signal), {
    name: "ModelError",
    kind: "transport",
  });
});

test("it says that it is a demo", () => {
  const [info] = createDemoModel().list();
  assert.deepEqual(
    { ...info, hint: undefined },
    { id: "demo", provider: "demo", name: "Demo", demo: true, hint: undefined, available: true },
  );
  assert.match(
    info?.hint ?? "",
    /ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or COMPATIBLE_BASE_URL.*count to 20/,
  );
});
