/** What a process does first, with what the one before it left. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { ParleyEvent } from "../src/protocol/events.ts";
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
