/** A process alone on a database server: its connections may answer in another order than that of the commits [L11]. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ParleyEvent } from "../src/protocol/events.ts";
import { EngineWorld } from "./engine-world.ts";
import { readFrom, stateOf } from "./support/event-log-appends.ts";

let world: EngineWorld;
before(async () => {
  world = await EngineWorld.embedded();
});
after(() => world.store.close());

test("[L11] commits whose answers overtook each other are announced in their order, by a process alone as well", async () => {
  const process = await world.start({ answersInOrder: false });
  const id = await world.converse();
  const renamed = [];
  for (const title of ["1", "2", "3"]) {
    const changed = await world.store.conversations.rename(world.scope, id, title);
    assert.ok(changed);
    renamed.push(changed.announce);
  }
  await Promise.all(renamed.toReversed().map((rows) => process.engine.announce(rows)));
  const told = [];
  const topic = `conversation:${id}`;
  const { epoch } = await stateOf(world.log, topic);
  for (const entry of await readFrom(world.log, topic, { epoch, seq: 0 })) {
    const event = JSON.parse(entry.event) as ParleyEvent;
    if (event.type === "CUSTOM" && event.name === "conversation.renamed") told.push(event.value.conversation.title);
  }
  assert.deepEqual(told, ["1", "2", "3"]);
  await world.kill(process);
});
