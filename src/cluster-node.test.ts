import assert from "node:assert/strict";
import { test } from "node:test";
import { recordingLogger } from "../test/support/logger.fake.ts";
import { until } from "../test/support/until.ts";
import { MemoryCommandHub } from "./adapters/commands.memory.ts";
import { joinCluster } from "./cluster-node.ts";
import type { CommandChannel } from "./ports/commands.ts";

/** An engine and sessions that write down what they are told. */
function node(commands: CommandChannel) {
  const told: string[] = [];
  const state = { hasRoom: true, holds: new Set<string>(), confirm: (): Promise<void> => Promise.resolve() };
  const engine = {
    offer: () => undefined,
    announce: () => Promise.resolve(),
    wake: () => told.push("wake"),
    stopRequested: (runId: string) => told.push(`stop ${runId}`),
    holds: (runId: string) => state.holds.has(runId),
    get hasRoom() {
      return state.hasRoom;
    },
  };
  const sessions = {
    revokedElsewhere: (id: string) => told.push(`revoked ${id}`),
    confirm: () => {
      told.push("confirm");
      return state.confirm();
    },
  };
  const shares = {
    revoked: (id: string) => told.push(`unshared ${id}`),
    confirm: () => Promise.resolve(void told.push("confirm links")),
  };
  const logger = recordingLogger();
  return { told, state, logger, commands, ...joinCluster({ engine, sessions, shares, commands, logger }) };
}

function twoNodes() {
  const hub = new MemoryCommandHub();
  return { a: node(hub.join()), b: node(hub.join()) };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test("[R11] a stop goes to the owner, wherever it is", async () => {
  const { a, b } = twoNodes();
  a.state.holds.add("mine");
  a.agent.stopRequested("mine");
  a.agent.stopRequested("yours");
  await settle();
  assert.deepEqual(a.told, ["stop mine"]);
  assert.deepEqual(b.told, ["stop yours"]);
});

test("[R3] a run is woken here, and elsewhere only when there is no room here; a full node passes nothing on", async () => {
  const { a, b } = twoNodes();
  a.agent.wake();
  await settle();
  assert.deepEqual([a.told, b.told], [["wake"], []]);
  a.state.hasRoom = false;
  a.agent.wake();
  await settle();
  assert.deepEqual(b.told, ["wake"]);
  b.state.hasRoom = false;
  a.handedOver();
  await settle();
  assert.deepEqual(b.told, ["wake"]);
});

test("a session that was ended elsewhere ends here; after leaving nothing is heard", async () => {
  const { a, b } = twoNodes();
  a.commands.publish({ kind: "session.revoked", sessionId: "s1" });
  await settle();
  assert.deepEqual(b.told, ["revoked s1"]);
  b.leave();
  a.commands.publish({ kind: "session.revoked", sessionId: "s2" });
  await settle();
  assert.deepEqual(b.told, ["revoked s1"]);
});

test("a link that was revoked elsewhere is read by nobody here, and links are looked at after sessions", async () => {
  const { a, b } = twoNodes();
  a.commands.publish({ kind: "share.revoked", shareId: "l1" });
  await settle();
  assert.deepEqual(b.told, ["unshared l1"]);
  await b.confirm();
  assert.deepEqual(b.told, ["unshared l1", "confirm", "confirm links"]);
});

test("[R8] after a gap in what it heard a node looks for runs and at its sessions, once at a time", async () => {
  let missed = (): void => {};
  const channel: CommandChannel = {
    ...new MemoryCommandHub().join(),
    publish: () => {},
    listen: () => () => {},
    onMissed: (listener) => {
      missed = listener;
      return () => (missed = () => {});
    },
    close: () => Promise.resolve(),
  };
  const b = node(channel);
  const pause = Promise.withResolvers<void>();
  b.state.confirm = () => pause.promise;
  missed();
  missed();
  assert.deepEqual(b.told, ["wake", "confirm", "wake"]);
  pause.reject(new Error("no database"));
  await until(() => b.logger.lines.length > 0, "the warning");
  b.leave();
  missed();
  assert.equal(b.told.length, 3);
});
