import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "../../src/client/client.ts";
import { openConversation } from "../../src/client/conversation.ts";
import { messagesOf } from "../../src/client/transcript.ts";
import { ACCESS_TOKEN, startParley } from "../support/parley.ts";
import { partText } from "../support/part-text.ts";
import { until } from "../support/until.ts";

test("where the native transport does not load, ws serves, and the log says so", { timeout: 120_000 }, async (t) => {
  const preload = `--import=${join(import.meta.dirname, "../support/no-uws.ts")}`;
  const parley = await startParley({ NODE_OPTIONS: preload, PARLEY_DEMO_TOKENS_PER_SECOND: "1000" });
  t.after(() => parley.remove());
  assert.match(parley.errors, /uWebSockets\.js does not load here; ws serves instead/);
  assert.equal((await fetch(`${parley.url.replace("ws:", "http:")}/health`)).status, 200);

  const client = createClient({ url: `${parley.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
  t.after(() => client.close());
  const { conversation } = await client.call("conversation.create", {});
  const reader = openConversation(client, conversation.id);
  t.after(() => reader.close());
  reader.send("count to 50");
  const answer = () => messagesOf(reader.state.transcript).find(({ role }) => role === "assistant");
  await until(() => answer()?.status === "complete", "the answer", 30_000);
  assert.equal(answer()?.parts.map(partText).join(""), Array.from({ length: 50 }, (_, i) => i + 1).join(" "));
  assert.equal(await parley.stop(), 0);
});
