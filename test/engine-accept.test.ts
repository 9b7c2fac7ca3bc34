/** Runs that their process claims as it accepts them, and what comes of it where that goes wrong. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { ParleyError } from "../src/protocol/errors.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import { ScriptedModel } from "./engine-model.ts";
import { upTo } from "./engine-process.ts";
import { EngineWorld } from "./engine-world.ts";
import { send } from "./support/store-world.ts";

let world: EngineWorld;
before(async () => {
  world = await EngineWorld.embedded();
});
afterEach(() => world.close());
after(() => world.store.close());

test("[R1][R3] a run that is accepted here is claimed with it: the store is not asked for it again", async () => {
  const process = await world.start({ times: { pollMs: 60_000 } });
  const conversationId = await world.converse();
  const claims = () => process.ports.calls.filter((call) => call === "store.runs.claim").length;
  const before = claims();
  const { runId } = await world.send(process, conversationId, "count to 20");
  assert.equal((await world.ended(runId)).text, upTo(20));
  assert.equal(claims(), before);
  const reading = await world.read(conversationId, 1);
  assert.deepEqual(reading.started, [runId]);
});

test("[R3] when nobody knows whether the claim was made, the run goes on at once, and as no further attempt", async () => {
  const process = await world.start({ times: { pollMs: 60_000, leaseMs: 600_000 } });
  const conversationId = await world.converse();
  const runId = uuidv7();
  const offer = process.engine.offer(runId);
  await send(world.world, world.scope, conversationId, { text: "count to 20", runId, claim: offer?.terms });
  // Its answer is lost.
  offer?.failed(new ParleyError("UNAVAILABLE"));
  const run = await world.ended(runId);
  assert.deepEqual([run.status, run.text, run.attempt], ["completed", upTo(20), 1]);
});

test("[R3] a claim that comes when there is no room is handed back, and taken when there is some", async () => {
  const model = new ScriptedModel();
  const process = await world.start({ model, maxRuns: 1, times: { pollMs: 60_000, leaseMs: 600_000 } });
  const offers = [uuidv7(), uuidv7()].map((runId) => ({ runId, offer: process.engine.offer(runId) }));
  for (const { runId, offer } of offers) {
    const sent = await send(world.world, world.scope, await world.converse(), { runId, claim: offer?.terms });
    offer?.take(sent.claimed!);
  }
  assert.equal(process.engine.offer(uuidv7()), undefined);
  assert.equal(process.engine.held, 1);
  const first = await model.call(1);
  first.say("one");
  first.end();
  const second = await model.call(2);
  second.say("two");
  second.end();
  const texts = await Promise.all(offers.map(async ({ runId }) => (await world.ended(runId)).text));
  assert.deepEqual(texts, ["one", "two"]);
});

test("[R12] a process that drains offers nothing, and hands back what it is given", async () => {
  const model = new ScriptedModel();
  const first = await world.start({ model });
  const runId = uuidv7();
  const offer = first.engine.offer(runId);
  const sent = await send(world.world, world.scope, await world.converse(), { runId, claim: offer?.terms });
  await first.stop();
  assert.equal(first.engine.offer(uuidv7()), undefined);
  offer?.take(sent.claimed!);
  const next = new ScriptedModel();
  await world.start({ model: next });
  const call = await next.call(1);
  call.say("here");
  call.end();
  assert.equal((await world.ended(runId)).text, "here");
});
