import assert from "node:assert/strict";
import test from "node:test";
import type { DeliveryLink } from "../../src/gateway/delivery-types.ts";
import { ConnectionCounts } from "../../src/sessions/connection-counts.ts";
import { ACCESS_TOKEN, errorOf, Harness, type Peer, turnOfTheLoop } from "../support/gateway-harness.ts";

const never = () => new Promise<never>(() => {});

/** Delivery that only remembers what the gateway asked of it. */
class RecordingLink implements DeliveryLink {
  readonly calls: string[] = [];
  readonly answers: object[] = [];
  frames: () => number = () => 0;

  async subscribe() {
    this.calls.push("subscribe");
    const answer = { mode: "replay" as const, position: { epoch: "e", seq: 7 } };
    this.answers.push(answer);
    return answer;
  }
  unsubscribe(topic: string): void {
    this.calls.push(`unsubscribe ${topic}`);
  }
  get presence(): never {
    throw new Error("nobody asks who is there");
  }
  release(result: object): void {
    if (this.answers.includes(result)) this.calls.push(`release after ${this.frames()} frames`);
  }
  drain(): void {
    this.calls.push("drain");
  }
  notePressure(): void {
    this.calls.push("notePressure");
  }
  positions() {
    return { "user:u": { epoch: "e", seq: 7 } };
  }
  close(): void {
    this.calls.push("close");
  }
}

async function subscribed(): Promise<{ harness: Harness; peer: Peer; link: RecordingLink }> {
  const link = new RecordingLink();
  const harness = new Harness({ hub: { open: () => link } });
  const peer = await harness.user();
  link.frames = () => peer.pair.client.received.length + (peer.pair.bytesToClient > 0 ? 1 : 0);
  await peer.ok("topic.subscribe", { topic: "user:u" });
  return { harness, peer, link };
}

test("[W6] the answer of a subscribe is written before its events are let go", async () => {
  const { peer, link } = await subscribed();
  assert.deepEqual(link.calls, ["subscribe", `release after ${peer.pair.client.received.length} frames`]);
  await peer.ok("topic.unsubscribe", { topic: "user:u" });
  assert.equal(link.calls.at(-1), "unsubscribe user:u");
});

test("the topics of a connection end with it, and with its login", async () => {
  const gone = await subscribed();
  gone.peer.pair.cut();
  assert.equal(gone.link.calls.at(-1), "close");
  const out = await subscribed();
  await out.peer.ok("logout", {});
  assert.equal(out.link.calls.at(-1), "close");
});

test("[L7] delivery hears of pressure by responses, and of its end", async () => {
  const { peer, link } = await subscribed();
  peer.pair.window = 0;
  await peer.ok("ping", {});
  await turnOfTheLoop();
  assert.deepEqual(link.calls.slice(2), ["notePressure", "drain"]);
});

test("[W9] every connection hears a heartbeat every 25 s, with its positions", async () => {
  const { harness, peer } = await subscribed();
  const other = await harness.user();
  const anonymous = harness.connect();
  harness.clock.advance(100_000);
  await turnOfTheLoop();
  assert.equal(peer.notifications("heartbeat").length, 4);
  assert.equal(other.notifications("heartbeat").length, 4);
  assert.equal(anonymous.notifications("heartbeat").length, 0);
  assert.deepEqual(peer.notifications("heartbeat")[0]?.positions, { "user:u": { epoch: "e", seq: 7 } });
});

test("[W9] heartbeats are spread over the time between two", async () => {
  const harness = new Harness();
  const first = harness.connect();
  const { sessionToken } = await first.ok("login", { token: ACCESS_TOKEN });
  const peers = [first];
  for (let i = 1; i < 50; i++) {
    const peer = harness.connect();
    await peer.ok("session.resume", { sessionToken });
    peers.push(peer);
  }
  const sent = () => peers.reduce((sum, peer) => sum + peer.notifications("heartbeat").length, 0);
  for (let second = 1; second <= 25; second++) {
    harness.clock.advance(1000);
    await turnOfTheLoop();
    assert.equal(sent(), 2 * second);
  }
});

test("[W8] above the limit a connection hears TOO_MANY_CONNECTIONS and is closed 4503; one that goes makes room", async () => {
  const harness = new Harness({ limits: { connections: 2 } });
  const [first] = [harness.connect(), harness.connect()];
  const third = harness.connect();
  await third.closedWith(4503);
  errorOf(third.answers(null)[0], "TOO_MANY_CONNECTIONS");
  assert.equal(harness.gateway.connectionCount, 2);
  first?.pair.cut();
  await harness.connect().ok("ping", {});
});

test("[W11] beyond what one address, or one person, may have a connection is closed 4503, by cookie and by login", async () => {
  const counts = new ConnectionCounts({ perUser: 2, perAddress: 4 });
  const harness = new Harness({ counts });
  const greeted = async (peer: Peer) => {
    while (peer.frames.length === 0) await turnOfTheLoop();
    return peer.hello;
  };
  const first = harness.connect();
  const { sessionToken } = await first.ok("login", { token: ACCESS_TOKEN });
  await greeted(harness.connect({ cookieToken: sessionToken }));
  const byCookie = harness.connect({ cookieToken: sessionToken });
  await byCookie.closedWith(4503);
  const byToken = harness.connect();
  errorOf(await byToken.answer(byToken.request("session.resume", { sessionToken })), "TOO_MANY_CONNECTIONS");
  await byToken.closedWith(4503);
  await greeted(harness.connect());
  await greeted(harness.connect());
  const fifth = harness.connect();
  await fifth.closedWith(4503);
  errorOf(fifth.answers(null)[0], "TOO_MANY_CONNECTIONS");
  first.pair.cut();
  await turnOfTheLoop();
  assert.ok((await greeted(harness.connect({ cookieToken: sessionToken }))).session !== undefined);
});

test("[R12] drain tells everybody, closes 4001 idle ones first, waits for answers, and takes nobody new", async () => {
  const gate = Promise.withResolvers<object>();
  const harness = new Harness({ replace: { "model.list": () => gate.promise } });
  const [idle, busy] = [await harness.user(), await harness.user()];
  const id = busy.request("model.list");
  await turnOfTheLoop();
  const drained = harness.gateway.drain(10_000);
  assert.equal(harness.gateway.draining, true);
  await turnOfTheLoop();
  for (const peer of [idle, busy]) {
    const [told] = peer.notifications("draining");
    assert.ok(told !== undefined && told.reconnectAfterMs > 0);
  }
  await idle.closedWith(4001);
  assert.equal(busy.closed, undefined);
  const late = harness.connect();
  await late.closedWith(4001);
  assert.equal(late.notifications("draining").length, 1);
  gate.resolve({ models: [] });
  assert.ok("result" in (await busy.answer(id)));
  harness.clock.advance(200);
  await busy.closedWith(4001);
  await drained;
});

test("[R12] a drain closes in batches, and everybody by its deadline", async () => {
  const harness = new Harness({ replace: { "model.list": never } });
  const peer = harness.connect();
  const { sessionToken } = await peer.ok("login", { token: ACCESS_TOKEN });
  for (let i = 1; i < 100; i++) await harness.connect().ok("session.resume", { sessionToken });
  peer.request("model.list");
  await turnOfTheLoop();
  const drained = harness.gateway.drain(1000);
  assert.equal(harness.gateway.drain(1), drained);
  const left: number[] = [];
  for (let i = 0; i < 10; i++) {
    await turnOfTheLoop();
    left.push(harness.gateway.connectionCount);
    harness.clock.advance(100);
  }
  await drained;
  assert.ok((left[0] ?? 0) > 80 && (left[0] ?? 0) < 100, String(left));
  assert.ok(
    left.every((count, i) => i === 0 || count <= (left[i - 1] ?? 0)),
    String(left),
  );
  assert.equal(left.at(-1), 0);
});

test("closing the gateway closes every connection, and its timer", async () => {
  const harness = new Harness();
  const peer = await harness.user();
  harness.gateway.close();
  await peer.closedWith(4001);
  harness.gateway.close();
  assert.equal(harness.gateway.connectionCount, 0);
  assert.equal(harness.sessions.sessionCount, 0);
});

test("a frame or a close of a connection that is gone does nothing", async () => {
  const harness = new Harness();
  const peer = await harness.user();
  const { connection } = peer.pair;
  peer.pair.cut();
  harness.gateway.listener.message(connection, '{"jsonrpc":"2.0","id":1,"method":"ping"}');
  harness.gateway.listener.drain(connection);
  harness.gateway.listener.close(connection, 1000);
  assert.equal(harness.gateway.connectionCount, 0);
});
