import assert from "node:assert/strict";
import { test } from "node:test";
import { breakerStoreContract } from "../../test/contracts/breaker-store.ts";
import { FaultyBreakerStore } from "../../test/support/breaker-store.faulty.ts";
import { CLOSED } from "../agent/circuit-breaker.ts";
import { MemoryBreakerStore } from "./breaker-store.memory.ts";

breakerStoreContract("in memory", () => new MemoryBreakerStore());
breakerStoreContract(
  "in memory, slow",
  () => new FaultyBreakerStore(new MemoryBreakerStore(), { refused: 0, lostReply: 0, delayed: 0.5 }, Math.random),
);

test("ids that requests make up do not fill the memory: the oldest go", async () => {
  const store = new MemoryBreakerStore({ limit: 3 });
  for (const key of ["a", "b", "c"]) await store.write(key, 0, CLOSED, 60_000);
  await store.write("a", (await store.read("a")).version, CLOSED, 60_000);
  await store.write("d", 0, CLOSED, 60_000);
  assert.deepEqual((await store.read("a")).breaker, CLOSED);
  assert.equal((await store.read("b")).breaker, undefined);
  assert.deepEqual((await store.read("c")).breaker, CLOSED);
});
