import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionState } from "../../../src/client/client.ts";
import { ParleyError } from "../../../src/protocol/errors.ts";
import { stripContent } from "./strip-content.ts";

const state = (changes: Partial<ConnectionState>): ConnectionState => ({
  phase: "ready",
  attempt: 0,
  retryAt: undefined,
  since: 0,
  queued: 0,
  closed: undefined,
  ...changes,
});

const cases: readonly [string, ConnectionState, boolean, string | undefined][] = [
  ["all is well", state({}), true, undefined],
  ["well, with messages on their way", state({ queued: 2 }), true, undefined],
  ["it waits", state({ phase: "waiting" }), true, "Reconnecting…"],
  ["it waits, and so do messages", state({ phase: "waiting", queued: 2 }), true, "Reconnecting… 2 queued"],
  ["it tries", state({ phase: "connecting", queued: 1 }), true, "Reconnecting… 1 queued"],
  ["the machine is offline", state({ phase: "waiting", queued: 1 }), false, "You are offline. 1 queued"],
  ["signed out", state({ phase: "closed", closed: { reason: "signed-out", error: undefined } }), true, undefined],
  [
    "too many connections",
    state({ phase: "closed", closed: { reason: "too-many-connections", error: undefined } }),
    true,
    "The server has as many connections as it allows. Close another tab, then try again.",
  ],
  [
    "refused, with a reason",
    state({
      phase: "closed",
      queued: 3,
      closed: { reason: "refused", error: new ParleyError("INTERNAL", { message: "No." }) },
    }),
    true,
    "No. · 3 queued",
  ],
];

for (const [name, connection, online, text] of cases) {
  test(name, () => assert.equal(stripContent(connection, online)?.text, text));
}
