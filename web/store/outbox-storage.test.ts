import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredMessage } from "../../src/client/outbox-message.ts";
import { memoryStorage } from "./memory-storage.fake.ts";
import { outboxStorage } from "./outbox-storage.ts";

const message = (clientMessageId: string): StoredMessage => ({
  clientMessageId,
  idempotencyKey: `key-${clientMessageId}`,
  conversationId: "c1",
  text: "hello",
  createdAt: "2026-11-21T05:00:00.000Z",
});

test("unsent messages are there after a reload, until they are sent", async () => {
  const storage = memoryStorage();
  storage.set("theme", "dark");
  const before = outboxStorage(storage);
  await before.save(message("a"));
  await before.save(message("b"));
  await before.remove("a");
  assert.deepEqual(await outboxStorage(storage).load(), [message("b")]);
});

test("what is no message is left alone", async () => {
  const storage = memoryStorage();
  for (const [i, value] of ["{", "null", "7", '{"text":"x"}'].entries()) storage.set(`outbox.${i}`, value);
  assert.deepEqual(await outboxStorage(storage).load(), []);
});
