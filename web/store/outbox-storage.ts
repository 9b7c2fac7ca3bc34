import type { StoredMessage } from "../../src/client/outbox-message.ts";
import type { OutboxStorage } from "../../src/client/outbox.ts";
import { type KeyValues, parsed } from "./storage.ts";

const PREFIX = "outbox.";

const REQUIRED = ["clientMessageId", "idempotencyKey", "conversationId", "text", "createdAt"] as const;

const isStored = (value: unknown): value is StoredMessage =>
  typeof value === "object" &&
  value !== null &&
  REQUIRED.every((name) => typeof (value as Record<string, unknown>)[name] === "string");

/** Messages that the server has not taken yet, one entry each. */
export const outboxStorage = (storage: KeyValues): OutboxStorage => ({
  load: () =>
    storage.keys().flatMap((key) => {
      if (!key.startsWith(PREFIX)) return [];
      const message = parsed(storage.get(key));
      return isStored(message) ? [message] : [];
    }),
  save: (message) => void storage.set(PREFIX + message.clientMessageId, JSON.stringify(message)),
  remove: (clientMessageId) => storage.remove(PREFIX + clientMessageId),
});
