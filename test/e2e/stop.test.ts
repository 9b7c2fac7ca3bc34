/** Stops: SIGTERM ends the process in its time, whatever the database does meanwhile. */
import assert from "node:assert/strict";
import test from "node:test";
import { createClient } from "../../src/client/client.ts";
import { ACCESS_TOKEN, startParley } from "../support/parley.ts";
import { startPostgres } from "../support/postgres.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";

const LIMIT = { timeout: 90_000 };

test("[R12] a stop ends in its time, though the database answers nothing any more", LIMIT, async (t) => {
  const postgres = await startPostgres();
  t.after(() => postgres.stop());
  const network = await tcpProxy(postgres.port);
  t.after(() => network.close());
  const parley = await startParley({
    DATABASE_URL: `postgres://postgres@127.0.0.1:${network.port}/postgres`,
    PARLEY_DRAIN_MS: "500",
  });
  t.after(() => parley.remove());
  const client = createClient({ url: `${parley.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
  t.after(() => client.close());
  const { conversation } = await client.call("conversation.create", {});
  await client.call("chat.send", {
    conversationId: conversation.id,
    text: "count to 10000",
    idempotencyKey: "a key of it",
  });

  network.freeze();
  assert.equal(await parley.stop(), 1);
  assert.match(parley.errors, /the stop took longer/);
});
