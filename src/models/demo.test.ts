import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { ModelMessage } from "../ports/model.ts";
import { createDemoModel } from "./demo.ts";

/** A demo model on a clock that the test moves. */
function paced(t: TestContext, tokensPerSecond?: number) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let now = 0;
  const model = createDemoModel({
    now: () => now,
    ...(tokensPerSecond === undefined ? {} : { tokensPerSecond }),
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

const ask = (...texts: string[]) => ({
  model: "demo",
  messages: texts.map((text, i): ModelMessage => ({ role: i % 2 === 0 ? "user" : "assistant", text })),
});

function collector() {
  const deltas: string[] = [];
  return { deltas, text: (delta: string) => void deltas.push(delta) };
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

for (const question of ["hello", "count to 0", "count to 1000001", "account to 5", "count to 12x", ""]) {
  test(`${JSON.stringify(question)} gets a short answer that says what this is`, async (t) => {
    const { model, pass } = paced(t);
    const sink = collector();
    const ended = model.stream(ask(question), sink, signal);
    pass(5000);
    await ended;
    const text = sink.deltas.join("");
    assert.match(text, /demo model/);
    assert.ok(text.length < 400);
    assert.equal(text, text.trim());
  });
}

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
  const second = model.stream(ask("count to 1000"), { text }, inside.signal);

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
      text() {
        throw new Error("full");
      },
    },
    signal,
  );
  const sink = collector();
  const fine = model.stream(ask("count to 5"), sink, signal);
  pass(1000);
  await assert.rejects(broken, { code: "MODEL_FAILED" });
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

test("it says that it is a demo", () => {
  const [info] = createDemoModel().list();
  assert.deepEqual(
    { ...info, hint: undefined },
    { id: "demo", provider: "demo", name: "Demo", demo: true, hint: undefined, available: true },
  );
  assert.match(info?.hint ?? "", /count to 20/);
});
