import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answer, ModelCallWorld, type Turn } from "../../test/support/model-call-world.ts";
import { until } from "../../test/support/until.ts";
import { ModelError, type ModelErrorKind } from "../ports/model.ts";
import { RetryBudget } from "./retry-budget.ts";

const failing = (ends: ModelErrorKind, retryAfterMs?: number): Turn =>
  retryAfterMs === undefined ? { ends } : { ends, retryAfterMs };

const kindOf = (kind: ModelErrorKind) => (error: unknown) => error instanceof ModelError && error.kind === kind;

test("an answer is passed on as it comes, with who gave it, its cost and the time to its first token", async () => {
  const world = new ModelCallWorld({ cost: (model, usage) => (model === "a/m" ? usage.inputTokens * 3 : undefined) });
  const result = await world.call([world.provider("a", answer("one ", "two"))]);
  assert.equal(world.said, "one two");
  assert.deepEqual(result, {
    answer: { stop: "end", usage: { inputTokens: 10, outputTokens: 5, costMicros: 30 } },
    model: "a/m",
    provider: "a",
    firstTokenMs: 0,
  });
  assert.deepEqual(world.outcomes, [["a/m", "ok"]]);
  assert.deepEqual(world.notices, []);
});

test("[R9] what may pass is asked again after a growing wait, and the person is told", async () => {
  const world = new ModelCallWorld();
  const provider = world.provider("a", failing("overload"), failing("throttle"), failing("transport"), answer("done"));
  const { model } = await world.call([provider]);
  assert.equal(model, "a/m");
  assert.equal(world.said, "done");
  assert.deepEqual(world.waits, [500, 1_000, 2_000]);
  assert.deepEqual(world.notices, [
    { kind: "retrying", message: "a/m is overloaded. It is asked again at once.", retryAt: "2026-11-21T00:00:00.500Z" },
    {
      kind: "retrying",
      message: "a/m limits how often this server may ask. It is asked again in 1 s.",
      retryAt: "2026-11-21T00:00:01.500Z",
    },
    {
      kind: "retrying",
      message: "a/m can't be reached. It is asked again in 2 s.",
      retryAt: "2026-11-21T00:00:03.500Z",
    },
  ]);
  assert.deepEqual(
    world.outcomes.map(([, outcome]) => outcome),
    ["overload", "throttle", "transport", "ok"],
  );
});

test("[R9] after four attempts the next model of the chain is asked, and the person is told", async () => {
  const world = new ModelCallWorld();
  const dead = world.provider("a", ...Array.from({ length: 4 }, () => failing("overload")));
  const { model, provider } = await world.call([dead, world.provider("b", answer("from b"))]);
  assert.deepEqual([model, provider, world.said], ["b/m", "b", "from b"]);
  assert.equal(world.asked.length, 5);
  assert.deepEqual(world.notices.at(-1), {
    kind: "fallback",
    message: "a/m is overloaded. b/m is asked instead.",
  });
});

test("[R9] Retry-After is honoured; one that is too long means the next model at once", async () => {
  const world = new ModelCallWorld();
  await world.call([world.provider("a", failing("throttle", 7_000), answer("x"))]);
  assert.deepEqual(world.waits, [7_500]);

  const impatient = new ModelCallWorld();
  const { model } = await impatient.call([
    impatient.provider("a", failing("throttle", 45_000)),
    impatient.provider("b", answer("x")),
  ]);
  assert.equal(model, "b/m");
  assert.deepEqual(impatient.waits, []);
});

test("[R9] no wait goes beyond the run's deadline", async () => {
  const world = new ModelCallWorld();
  await assert.rejects(
    world.call([world.provider("a", failing("throttle", 7_000))], { deadlineAt: 6_000 }),
    kindOf("throttle"),
  );
  assert.deepEqual(world.waits, []);
});

test("[R9] a key or an account that is refused is not asked again, another model is", async () => {
  for (const kind of ["auth", "billing"] as const) {
    const world = new ModelCallWorld();
    const { model } = await world.call([world.provider("a", failing(kind)), world.provider("b", answer("x"))]);
    assert.equal(model, "b/m");
    assert.equal(world.asked.length, 2);
    await assert.rejects(world.call([world.provider("c", failing(kind))]), kindOf(kind));
  }
});

test("[R9] what lies in the request is asked of nobody else", async () => {
  for (const kind of ["request", "context", "content"] as const) {
    const world = new ModelCallWorld();
    await assert.rejects(world.call([world.provider("a", failing(kind)), world.provider("b")]), kindOf(kind));
    assert.equal(world.asked.length, 1);
  }
});

test("[R9] after the first token an error is final: the text stays, nothing is asked or said twice", async () => {
  const world = new ModelCallWorld();
  const cut: Turn = { says: ["half an ans"], ends: "transport" };
  await assert.rejects(
    world.call([world.provider("a", cut, answer("again")), world.provider("b")]),
    kindOf("transport"),
  );
  assert.equal(world.said, "half an ans");
  assert.deepEqual([world.asked.length, world.notices.length], [1, 0]);
});

test("[R9] reasoning and tool calls are first tokens too", async () => {
  for (const say of ["reasoning", "toolCall", "toolArgs"] as const) {
    const world = new ModelCallWorld();
    const provider = world.provider("a");
    let calls = 0;
    provider.stream = async (_, sink) => {
      calls++;
      if (say === "reasoning") sink.reasoning("hm");
      else sink[say]("call-1", "{");
      throw new ModelError("overload", "cut");
    };
    await assert.rejects(world.call([provider, world.provider("b")]), kindOf("overload"));
    assert.equal(calls, 1, say);
  }
});

test("[R9] when all is spent the failure that may pass is told, before those that do not", async () => {
  const world = new ModelCallWorld();
  const down = world.provider("b", ...Array.from({ length: 4 }, () => failing("overload")));
  await assert.rejects(world.call([world.provider("a", failing("auth")), down]), kindOf("overload"));
  const small = new ModelCallWorld();
  const busy = small.provider("a", failing("throttle", 60_000));
  await assert.rejects(small.call([busy, small.provider("b", failing("context"))]), kindOf("throttle"));
});

test("[R9] a silent provider is given up: asked once more, then the next model", async () => {
  const world = new ModelCallWorld();
  const call = world.call([
    world.provider("a", { ends: "silence" }, { ends: "deaf" }),
    world.provider("b", answer("x")),
  ]);
  for (const calls of [1, 2]) {
    await until(() => world.asked.length === calls, "the call");
    world.clock.advance(11_000);
  }
  assert.equal((await call).model, "b/m");
  assert.deepEqual(
    world.outcomes.map(([, outcome]) => outcome),
    ["stall", "stall", "ok"],
  );
});

test("[R9] a provider that falls silent in the middle ends the call, with what came kept", async () => {
  for (const ends of ["silence", "deaf"] as const) {
    const world = new ModelCallWorld();
    const call = world.call([world.provider("a", { says: ["some"], ends }), world.provider("b")]);
    await until(() => world.said === "some", "the text");
    world.clock.advance(7_000);
    await assert.rejects(call, (error) => kindOf("stall")(error) && /fell silent/.test(String(error)));
    assert.equal(world.said, "some");
  }
});

test("what a provider says after it was given up does not count", async () => {
  const world = new ModelCallWorld();
  const late: ((text: string) => void)[] = [];
  const provider = world.provider("a");
  let calls = 0;
  provider.stream = (_, sink) => {
    late.push((text) => sink.text(text));
    if (++calls === 1) return new Promise(() => {});
    sink.text("good");
    return Promise.resolve({ stop: "end", usage: { inputTokens: 0, outputTokens: 1 } });
  };
  const call = world.call([provider]);
  await until(() => calls === 1, "the call");
  world.clock.advance(11_000);
  await call;
  for (const say of late) say(" and late");
  assert.equal(world.said, "good");
});

test("an abort ends the call with what was used, during an answer, a wait, and before it", async () => {
  const during = new ModelCallWorld();
  const call = during.call([during.provider("a", { says: ["some"], ends: "silence" })]);
  await until(() => during.said === "some", "the text");
  during.abort.abort();
  assert.deepEqual((await call).answer, { stop: "aborted", usage: { inputTokens: 10, outputTokens: 5 } });
  assert.deepEqual(during.outcomes, [["a/m", "aborted"]]);

  const waiting = new ModelCallWorld();
  waiting.onWait = () => waiting.abort.abort();
  const stopped = await waiting.call([waiting.provider("a", failing("overload"), answer("x")), waiting.provider("b")]);
  assert.equal(stopped.answer.stop, "aborted");
  assert.equal(waiting.asked.length, 1);

  const before = new ModelCallWorld();
  before.abort.abort();
  assert.equal((await before.call([before.provider("a", answer("x"))])).answer.stop, "aborted");
  assert.equal(before.asked.length, 0);
});

test("a provider that ignores an abort, or answers it with an error, is not waited for", async () => {
  for (const ends of ["deaf", "error"] as const) {
    const world = new ModelCallWorld();
    const provider = world.provider("a");
    provider.stream = (_, __, signal) =>
      new Promise((_resolve, reject) => {
        if (ends === "error") signal.addEventListener("abort", () => reject(new Error("AbortError")));
        queueMicrotask(() => world.abort.abort());
      });
    assert.equal((await world.call([provider])).answer.stop, "aborted");
    assert.equal(world.bugs, 0);
  }
});

test("a provider that ends as aborted though nobody asked for it broke off", async () => {
  const world = new ModelCallWorld();
  await world.call([world.provider("a", { ends: "aborted" }, answer("x"))]);
  assert.deepEqual(
    world.outcomes.map(([, outcome]) => outcome),
    ["transport", "ok"],
  );
});

test("an error that no provider should throw counts as a bug, is logged in full and told without its words", async () => {
  const world = new ModelCallWorld();
  const secret = new Error("connect with key sk-secret-secret-secret failed");
  const provider = world.provider("a", ...Array.from({ length: 4 }, () => ({ ends: secret })));
  await assert.rejects(world.call([provider]), (error) => kindOf("transport")(error) && !/secret/.test(String(error)));
  assert.equal(world.bugs, 4);
});

test("[R9] a model that failed too often is left alone, probed, and asked again by all when it answers", async () => {
  const limits = { failures: 4, coolDownMs: 5_000 };
  const world = new ModelCallWorld({}, limits);
  const a = world.provider(
    "a",
    ...Array.from({ length: 5 }, () => failing("overload")),
    answer("back"),
    answer("again"),
  );
  const b = () => world.provider("b", answer("b"));
  assert.equal((await world.call([a, b()])).model, "b/m");
  assert.equal(world.asked.filter(({ provider }) => provider === "a").length, 4);

  assert.equal((await world.call([a, b()])).model, "b/m", "open: not asked at all");
  assert.equal(world.asked.filter(({ provider }) => provider === "a").length, 4);
  assert.match(world.notices.at(-1)?.message ?? "", /a\/m is overloaded\. b\/m is asked instead/);
  await assert.rejects(world.call([a]), (error) => {
    return kindOf("overload")(error) && error instanceof ModelError && (error.retryAfterMs ?? 0) > 0;
  });

  world.clock.advance(5_000);
  assert.equal((await world.call([a, b()])).model, "b/m", "the probe failed, and is not repeated");
  assert.equal(world.asked.filter(({ provider }) => provider === "a").length, 5);
  world.clock.advance(9_999);
  assert.equal((await world.call([a, b()])).model, "b/m", "a longer cool-down");
  world.clock.advance(1);
  assert.equal((await world.call([a, b()])).model, "a/m");
  assert.equal((await world.call([a, b()])).model, "a/m");
  assert.deepEqual(
    [...world.context.breakers.states()],
    [
      ["a/m", "closed"],
      ["b/m", "closed"],
    ],
  );
});

test("[R9] a probe closes the breaker with its first token: nobody waits for the end of a long answer", async () => {
  const world = new ModelCallWorld({}, { failures: 1, coolDownMs: 1_000 });
  const a = world.provider("a", failing("auth"), { says: ["long"], ends: "silence" }, answer("short"));
  await assert.rejects(world.call([a]), kindOf("auth"));
  world.clock.advance(1_000);
  const long = world.call([a]);
  await until(() => world.said === "long", "the probe's first token");
  await until(() => [...world.context.breakers.states()][0]?.[1] === "closed", "the breaker to close");
  assert.equal((await world.call([a])).answer.stop, "end");
  world.abort.abort();
  await long;
});

test("[R9] a probe that a person stops leaves the next call to probe", async () => {
  const world = new ModelCallWorld({}, { failures: 1, coolDownMs: 1_000 });
  const a = world.provider("a", failing("auth"), { ends: "silence" }, answer("x"));
  await assert.rejects(world.call([a]), kindOf("auth"));
  world.clock.advance(1_000);
  const stop = new AbortController();
  const probe = world.call([a], { signal: stop.signal });
  await until(() => world.asked.length === 2, "the probe");
  stop.abort();
  await probe;
  assert.equal((await world.call([a])).answer.stop, "end");
});

test("[R9] many calls to a dead provider are retried within the budget of the process", async () => {
  const world = new ModelCallWorld(
    { budget: new RetryBudget({ burst: 5, perCall: 0.1, perSecond: 0 }) },
    { failures: 1e9 },
  );
  const dead = world.provider("dead");
  let calls = 0;
  dead.stream = () => {
    calls++;
    return Promise.reject(new ModelError("overload", "529"));
  };
  for (let i = 0; i < 100; i++) await assert.rejects(world.call([dead]), kindOf("overload"));
  assert.ok(calls >= 114 && calls <= 115, String(calls));
});

const turn: fc.Arbitrary<Turn> = fc.record({
  says: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant(["t"]) }),
  ends: fc.constantFrom(
    ...(["throttle", "overload", "transport", "auth", "billing", "context", "content", "request"] as const),
    ...(["end", "length", "tool-calls", "refusal", "aborted"] as const),
    new Error("a bug"),
  ),
  retryAfterMs: fc.constantFrom(0, 100, 7_000, 31_000, 1e9),
});

test("[R9] any failures: attempts are bounded, none after the first token or an abort, budget and deadline are kept", async () => {
  const scripts = fc.array(fc.array(turn, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 3 });
  const settings = fc.record({ burst: fc.nat(6), deadlineAt: fc.constantFrom(1, 5_000, 1e9), abortAtWait: fc.nat(8) });
  await fc.assert(
    fc.asyncProperty(scripts, settings, async (script, { burst, deadlineAt, abortAtWait }) => {
      const world = new ModelCallWorld({ budget: new RetryBudget({ burst, perCall: 0, perSecond: 0 }) });
      let waits = 0;
      let askedAtAbort = Infinity;
      world.onWait = () => {
        assert.equal(world.said, "", "a wait after the first token");
        if (waits++ !== abortAtWait) return;
        world.abort.abort();
        askedAtAbort = world.asked.length;
      };
      const chain = script.map((turns, i) => world.provider(`p${i}`, ...turns));
      const ended = await world.call(chain, { deadlineAt }).then(
        ({ answer: { stop }, provider }) => ({ stop, provider }),
        (error: unknown) => ({ error }),
      );

      for (const { name } of chain) assert.ok(world.asked.filter(({ provider }) => provider === name).length <= 4);
      const providers = world.asked.map(({ provider }) => provider);
      assert.deepEqual(providers, providers.toSorted(), "never back to a former model");
      assert.ok(world.said.length <= 1, "something was said twice");
      const last = world.asked.length - 1;
      const took = (i: number) => {
        const { provider } = world.asked[i]!;
        const before = providers.slice(0, i).filter((name) => name === provider).length;
        return script[Number(provider.slice(1))]![before]!;
      };
      for (let i = 0; i < last; i++) assert.deepEqual(took(i).says, [], "asked again after the first token");
      assert.ok(world.asked.length <= askedAtAbort);
      assert.ok(world.asked.length - new Set(providers).size <= burst, "more retries than the budget");
      assert.ok(world.clock.now() < deadlineAt, "waited beyond the deadline");
      if ("error" in ended) assert.ok(ended.error instanceof ModelError, String(ended.error));
      else if (ended.stop === "aborted") assert.ok(world.abort.signal.aborted);
      else assert.equal(took(last).ends, ended.stop);
    }),
    { numRuns: 1_000 },
  );
});
