/** What a process, and a run, does first. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { Append, EventLog } from "../src/ports/event-log.ts";
import type { ParleyEvent } from "../src/protocol/events.ts";
import { ScriptedModel } from "./engine-model.ts";
import { EngineWorld } from "./engine-world.ts";
import { outboxOf, send } from "./support/store-world.ts";
import { until } from "./support/until.ts";

let world: EngineWorld;
before(async () => {
  world = await EngineWorld.embedded();
});
afterEach(() => world.close());
after(() => world.store.close());

/** Types of a topic's events, in the order of its log; names of those that have one. */
async function typesIn(topic: string): Promise<string[]> {
  const state = await world.log.state(topic);
  assert.ok(state, "there is a log");
  const page = await world.log.read(topic, { epoch: state.epoch, seq: 0 }, 100);
  assert.ok(page.ok);
  return page.entries.map((entry) => {
    const event = JSON.parse(entry.event) as ParleyEvent;
    return event.type === "CUSTOM" ? event.name : event.type;
  });
}

test("[L11] a process alone with its store announces what the last one left before anything of its own", async () => {
  const conversationId = await world.converse();
  const topic = `conversation:${conversationId}`;
  // Its process died when it had committed these: they are younger than what a sweep takes.
  const first = await send(world.world, world.scope, conversationId, { text: "count to 3" });
  const second = await send(world.world, world.scope, conversationId, { text: "count to 2" });

  await world.start();
  await world.ended(first.runId);
  await world.ended(second.runId);
  await until(async () => (await outboxOf(world.world, topic)).length === 0, "everything is told");

  const types = await typesIn(topic);
  assert.equal(types.filter((type) => type === "message.created").length, 2);
  assert.ok(types.lastIndexOf("message.created") < types.indexOf("RUN_STARTED"), types.join());
  // The second one gets its parent when it is claimed; what was said before it had one does not come after that.
  assert.equal(types.filter((type) => type === "message.updated").length, 1);
  assert.ok(types.lastIndexOf("message.created") < types.indexOf("message.updated"), types.join());
});

/** A log whose appends wait for a promise, from the one that tells the beginning of a run. */
function holdingStarts(log: EventLog, until: Promise<void>): EventLog {
  const append = async (batch: readonly Append[]) => {
    if (batch.some(({ event }) => event.includes('"RUN_STARTED"'))) await until;
    return log.append(batch);
  };
  return new Proxy(log, {
    get(target, key) {
      if (key === "append") return append;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test("[L11] the model is asked while the log is told of the run's beginning, and nothing that it says comes before that", async () => {
  const told = Promise.withResolvers<void>();
  const model = new ScriptedModel();
  const process = await world.start({ model, log: holdingStarts(world.log, told.promise) });
  const conversationId = await world.converse();
  const sending = world.send(process, conversationId, "hello");
  const call = await model.call(1);
  const waited = process.lines.filter(({ message }) => message === "announcements are late");
  assert.deepEqual(waited, [], "it is not only asked because the wait for the log was given up");
  call.say("Good ", "day");
  call.end();
  told.resolve();
  const { runId } = await sending;
  assert.equal((await world.ended(runId)).text, "Good day");
  const reading = await world.read(conversationId, 1);
  assert.equal(reading.text((await world.run(runId)).assistantMessageId), "Good day");
  const types = await typesIn(`conversation:${conversationId}`);
  const ofRun = types.filter((type) => type.startsWith("RUN_") || type.startsWith("TEXT_"));
  assert.deepEqual(ofRun.slice(0, 3), ["RUN_STARTED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT"]);
});
