import assert from "node:assert/strict";
import test from "node:test";
import { freePort } from "../../test/support/free-port.ts";
import { until } from "../../test/support/until.ts";
import { createClient } from "./client.ts";

test("[W8] a server that is not there is tried again at once, though Node says only `error`", async (t) => {
  // The platform's own WebSocket: it is what fires no `close` for a socket that never opened.
  const client = createClient({ url: `ws://127.0.0.1:${await freePort()}/ws`, auth: { kind: "cookie" } });
  t.after(() => client.close());
  await until(() => client.state.attempt >= 3, "three tries", 10_000);
  assert.ok(["waiting", "connecting"].includes(client.state.phase));
});
