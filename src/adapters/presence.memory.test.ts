import assert from "node:assert/strict";
import { test } from "node:test";
import { presenceContract } from "../../test/contracts/presence.ts";
import { MemoryPresence } from "./presence.memory.ts";

presenceContract("presence.memory", (_t, ttlMs) => {
  const presence = new MemoryPresence({ ttlMs });
  return Promise.resolve([presence, presence]);
});

test("[L10] presence.memory: the time of a member begins anew whenever it is named", async () => {
  let now = 0;
  const presence = new MemoryPresence({ ttlMs: 30, now: () => now });
  const states: string[] = [];
  presence.listen((_topic, { state }) => states.push(state));
  const member = { memberId: "1", user: { id: "u", name: "Ann" }, state: "active" } as const;
  await presence.update("user:u", member);
  now = 20;
  await presence.update("user:u", member);
  now = 49;
  assert.deepEqual(await presence.list("user:u"), [member]);
  now = 50;
  assert.deepEqual(await presence.list("user:u"), []);
  assert.deepEqual(states, ["active", "gone"]);
});
