/** A node that can serve nothing while others can: what its clients see of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCESS_TOKEN, Harness } from "../support/gateway-harness.ts";

const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("[R8][W8] sent away, each client is told once with a wait, and closed 4001 if it stays; a new one at once", async () => {
  const harness = new Harness({ replace: { "model.list": () => new Promise(() => {}) } });
  const [idle, busy] = [await harness.user(), await harness.user()];
  busy.request("model.list");
  await turnOfTheLoop();
  for (let i = 0; i < 3; i++) {
    harness.gateway.sendElsewhere(true);
    harness.clock.advance(3_000);
  }
  await turnOfTheLoop();
  for (const peer of [idle, busy]) {
    const told = peer.notifications("draining");
    assert.equal(told.length, 1);
    assert.ok(told[0] !== undefined && told[0].reconnectAfterMs > 0 && told[0].reconnectAfterMs <= 5_100);
    assert.equal(peer.closed, undefined, "it has its time to go");
  }
  const late = harness.connect();
  await late.closedWith(4001);
  assert.equal(late.notifications("draining").length, 1);
  harness.clock.advance(3_000);
  harness.gateway.sendElsewhere(true);
  await idle.closedWith(4001);
  assert.equal(busy.closed, undefined, "it waits for an answer");
  harness.clock.advance(12_000);
  harness.gateway.sendElsewhere(true);
  await busy.closedWith(4001);
  assert.equal(harness.gateway.draining, false);
});

test("[R8] back to what it needs, a node keeps who is there, takes new ones, and tells all again the next time only", async () => {
  const harness = new Harness();
  const peer = await harness.user();
  harness.gateway.sendElsewhere(true);
  harness.gateway.sendElsewhere(false);
  harness.clock.advance(60_000);
  harness.gateway.sendElsewhere(false);
  await turnOfTheLoop();
  assert.equal(peer.closed, undefined);
  await harness.user();
  harness.gateway.sendElsewhere(true);
  await turnOfTheLoop();
  assert.equal(peer.notifications("draining").length, 2);
});

test("[R8] of very many clients that stay, a bounded number is closed in one round", async () => {
  const harness = new Harness({ limits: { handshakesPerSecond: 100_000 } });
  const first = harness.connect();
  const { sessionToken } = await first.ok("login", { token: ACCESS_TOKEN });
  const peers = [first];
  while (peers.length < 1_010) {
    const peer = harness.connect();
    await peer.ok("session.resume", { sessionToken });
    peers.push(peer);
  }
  const closed = async () => {
    harness.gateway.sendElsewhere(true);
    await turnOfTheLoop();
    return peers.filter((peer) => peer.closed !== undefined).length;
  };
  assert.equal(await closed(), 0);
  harness.clock.advance(10_000);
  assert.equal(await closed(), 1_000);
  assert.equal(await closed(), 1_010);
});
