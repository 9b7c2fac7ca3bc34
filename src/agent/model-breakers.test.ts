import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FaultyBreakerStore } from "../../test/support/breaker-store.faulty.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { MemoryBreakerStore } from "../adapters/breaker-store.memory.ts";
import type { BreakerStore } from "../ports/breaker.ts";
import type { ModelProvider } from "../ports/model.ts";
import type { ModelCandidate } from "../ports/services.ts";
import { ModelBreakers } from "./model-breakers.ts";

const provider: ModelProvider = {
  name: "fake",
  list: () => [],
  passesThrough: true,
  stream: () => Promise.reject(new Error("not asked for")),
  close() {},
};
const candidate: ModelCandidate = { model: "fake/one", provider, keyId: "server" };
const limits = { failures: 2, windowMs: 10_000, coolDownMs: 1_000, maxCoolDownMs: 8_000, probeMs: 5_000 };
const failure = { type: "failure", kind: "throttle", retryAfterMs: undefined } as const;

const world = (store: BreakerStore) => {
  const logger = recordingLogger();
  return { logger, breakers: new ModelBreakers({ store, logger, firstTokenMs: 4_000, limits }) };
};

test("[R9] nodes share a breaker: what one found dead, the other leaves alone; one of them probes, both go on", async () => {
  let now = 0;
  const store = new MemoryBreakerStore({ now: () => now });
  const [a, b] = [world(store), world(store)];
  await a.breakers.report(candidate, await a.breakers.ask(candidate), failure);
  await b.breakers.report(candidate, await b.breakers.ask(candidate), failure);
  assert.deepEqual(await a.breakers.ask(candidate), { granted: false, kind: "throttle", retryAfterMs: 1_000 });
  assert.deepEqual([...a.breakers.states()], [["fake/one", "open"]]);
  assert.match(b.logger.lines.at(-1)?.message ?? "", /left alone for a while/);

  now = 1_000;
  const [probe, other] = [await b.breakers.ask(candidate), await a.breakers.ask(candidate)];
  assert.equal(probe.granted, true);
  assert.equal(other.granted, false);
  assert.deepEqual([...a.breakers.states()], [["fake/one", "half-open"]]);
  await b.breakers.report(candidate, probe, { type: "success" });
  assert.match(b.logger.lines.at(-1)?.message ?? "", /answers again/);
  assert.equal((await a.breakers.ask(candidate)).granted, true);
  assert.deepEqual([...a.breakers.states()], [["fake/one", "closed"]]);
});

test("a model behind another key, and another model, have breakers of their own", async () => {
  const { breakers } = world(new MemoryBreakerStore());
  for (let i = 0; i < 2; i++) await breakers.report(candidate, await breakers.ask(candidate), failure);
  assert.equal((await breakers.ask(candidate)).granted, false);
  assert.equal((await breakers.ask({ ...candidate, keyId: "other" })).granted, true);
  assert.equal((await breakers.ask({ ...candidate, model: "fake/two" })).granted, true);
});

test("[R9] of many that ask when the cool-down is over, on a slow store, exactly one gets the probe", async () => {
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), async (stream) => {
      const random = () => stream.next().value ?? 0;
      let now = 0;
      const memory = new MemoryBreakerStore({ now: () => now });
      const slow = () => new FaultyBreakerStore(memory, { refused: 0, lostReply: 0, delayed: 0.4 }, random);
      const nodes = Array.from({ length: 6 }, () => world(slow()).breakers);
      for (let i = 0; i < 2; i++) {
        const permit = await nodes[0]!.ask(candidate);
        await nodes[0]!.report(candidate, permit, failure);
      }
      now = 1_000;
      const permits = await Promise.all(nodes.map((breakers) => breakers.ask(candidate)));
      assert.equal(permits.filter((permit) => permit.granted).length, 1);
    }),
    { numRuns: 50 },
  );
});

test("a store that is away lets calls through, says so once, and is used again when it is back", async () => {
  let refused = 1;
  const faults = {
    get refused() {
      return refused;
    },
    lostReply: 0,
    delayed: 0,
  };
  const { breakers, logger } = world(new FaultyBreakerStore(new MemoryBreakerStore(), faults, () => 0.5));
  for (let i = 0; i < 5; i++) await breakers.report(candidate, await breakers.ask(candidate), failure);
  assert.equal(logger.lines.length, 1);
  assert.equal((await breakers.ask(candidate)).granted, true);
  refused = 0;
  for (let i = 0; i < 2; i++) await breakers.report(candidate, await breakers.ask(candidate), failure);
  assert.equal((await breakers.ask(candidate)).granted, false);
});

test("a store that hangs costs a call its time limit, not its life", async () => {
  const never = new Promise<never>(() => {});
  const hanging: BreakerStore = { read: () => never, write: () => never };
  const breakers = new ModelBreakers({ store: hanging, logger: recordingLogger(), firstTokenMs: 1_000, storeMs: 5 });
  assert.equal((await breakers.ask(candidate)).granted, true);
});

test("[R9] when replies of the store are lost too, the breaker still closes in the end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), async (stream) => {
      const random = () => stream.next().value ?? 0;
      let now = 0;
      const memory = new MemoryBreakerStore({ now: () => now });
      const faulty = new FaultyBreakerStore(memory, { refused: 0.1, lostReply: 0.2, delayed: 0.1 }, random);
      const { breakers } = world(faulty);
      for (let i = 0; i < 6; i++) {
        await breakers.report(candidate, await breakers.ask(candidate), failure);
        now += 100;
      }
      const healthy = world(memory).breakers;
      now += Math.max(limits.maxCoolDownMs, limits.probeMs);
      const permit = await healthy.ask(candidate);
      assert.equal(permit.granted, true);
      await healthy.report(candidate, permit, { type: "success" });
      assert.equal((await healthy.ask(candidate)).granted, true);
      assert.deepEqual([...healthy.states()], [["fake/one", "closed"]]);
    }),
    { numRuns: 100 },
  );
});

test("what the metrics show is bounded", async () => {
  const { breakers } = world(new MemoryBreakerStore());
  for (let i = 0; i < 300; i++) await breakers.ask({ ...candidate, model: `fake/${i}` });
  assert.equal([...breakers.states()].length, 200);
});
