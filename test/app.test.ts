/** The server as a whole, between its start and its stop. What it does in between, the other tests say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBreakerStore } from "../src/adapters/breaker-store.memory.ts";
import { MemoryEventLog } from "../src/adapters/event-log.memory.ts";
import { MemoryPresence } from "../src/adapters/presence.memory.ts";
import { createStore } from "../src/adapters/store.drizzle.ts";
import { createApp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import { createDemoModel } from "../src/models/demo.ts";
import type { Transport } from "../src/ports/http.ts";
import { noMetrics } from "../src/ports/metrics.ts";
import { MemoryFileStore } from "./support/file-store.fake.ts";
import { recordingLogger } from "./support/logger.fake.ts";
import { openTestPglite } from "./support/pglite.ts";

/** Listens where nobody is, once, and never after it was told to stop: as the real one. */
class NoTransport implements Transport {
  listened = 0;
  #stopped = false;

  listen(): Promise<number> {
    if (this.#stopped) throw new Error("a transport listens once");
    this.listened++;
    return Promise.resolve(1);
  }
  stopListening(): void {
    this.#stopped = true;
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function newApp() {
  const transport = new NoTransport();
  const logger = recordingLogger();
  const app = createApp(
    { ...readConfig({}), drainMs: 4_000, cost: () => undefined, checkResults: true },
    {
      store: createStore(await openTestPglite()),
      answersInOrder: true,
      log: new MemoryEventLog({ logger }),
      logger,
      metrics: noMetrics,
      exposeMetrics: () => Promise.resolve({ contentType: "text/plain", body: "" }),
      providers: [createDemoModel()],
      tools: [],
      files: new MemoryFileStore(),
      breakers: new MemoryBreakerStore(),
      presence: new MemoryPresence(),
      transport: () => transport,
      pages: { method: "GET", path: "*", maxBody: 0, handle: () => ({ status: 404, headers: {}, body: "" }) },
    },
    new Map(),
  );
  return { app, transport };
}

test("a start says which port it serves", async () => {
  const { app, transport } = await newApp();
  assert.equal(await app.start(), 1);
  await app.stop();
  assert.equal(transport.listened, 1);
});

test("a start that is stopped before it serves ends without a port, and without an error", async () => {
  const { app, transport } = await newApp();
  const started = app.start();
  const stopped = app.stop();
  assert.equal(await started, undefined);
  await stopped;
  assert.equal(transport.listened, 0);
});
