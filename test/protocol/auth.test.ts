import assert from "node:assert/strict";
import test from "node:test";
import { MAX_FRAME_IN, PROTOCOL } from "../../src/protocol/constants.ts";
import { ACCESS_TOKEN, errorOf, Harness, turnOfTheLoop } from "../support/gateway-harness.ts";

const HOUR = 3_600_000;

test("[W2] the server speaks first, and says what a client must know", async () => {
  const peer = new Harness().connect({ id: "c-1" });
  await turnOfTheLoop();
  const { hello } = peer;
  assert.equal(hello.protocol, PROTOCOL);
  assert.equal(hello.connectionId, "c-1");
  assert.equal(hello.nodeId, "node-1");
  assert.deepEqual([hello.heartbeatMs, hello.silenceMs, hello.authDeadlineMs], [25_000, 33_000, 5_000]);
  assert.deepEqual(hello.auth, ["cookie", "session", "token"]);
  assert.equal(hello.limits.frameIn, MAX_FRAME_IN);
  assert.equal(hello.limits.inFlight, 64);
  assert.equal(hello.session, undefined);
  assert.ok(Math.abs(Date.parse(hello.time) - Date.now()) < 60_000);
});

test("[W2] login answers with the session, whose token resumes it on another connection", async () => {
  const harness = new Harness();
  const peer = harness.connect();
  const { session, sessionToken, user, tenant } = await peer.ok("login", { token: ACCESS_TOKEN, device: "terminal" });
  assert.equal(user.name, "Owner");
  assert.equal(tenant.name, "Home");
  const other = harness.connect();
  assert.deepEqual(await other.ok("session.resume", { sessionToken }), { session, user, tenant });
  const mine = await other.ok("session.get", {});
  assert.equal(mine.session.device, "terminal");
  assert.equal(mine.session.current, true);
  assert.equal(harness.sessions.sessionCount, 1);
});

test("[W2] a good cookie needs no login, and hello says who it is", async () => {
  const harness = new Harness();
  const { session, sessionToken } = await harness.sessions.login(ACCESS_TOKEN, "", "");
  const peer = harness.connect({ cookieToken: sessionToken });
  await turnOfTheLoop();
  assert.deepEqual(peer.hello.session, { id: session.id, expiresAt: session.expiresAt });
  assert.deepEqual([peer.hello.user, peer.hello.tenant], [session.user, session.tenant]);
  await peer.ok("session.get", {});
});

test("[W2] a stale cookie is no error: hello comes without a session, and a login works", async () => {
  const peer = new Harness().connect({ cookieToken: "of-last-year" });
  await turnOfTheLoop();
  assert.equal(peer.hello.session, undefined);
  await peer.fails("UNAUTHENTICATED", "session.get");
  await peer.ok("login", { token: ACCESS_TOKEN });
});

/** A cookie whose look-up lasts until `go`. */
async function slowCookie() {
  const harness = new Harness();
  const { sessionToken } = await harness.sessions.login(ACCESS_TOKEN, "", "");
  harness.fake.now += 60_000;
  const gate = Promise.withResolvers<void>();
  harness.fake.pause = gate.promise;
  const peer = harness.connect({ cookieToken: sessionToken });
  return { harness, peer, go: gate.resolve };
}

test("[W2] frames that come while the cookie is looked up wait, and are answered after hello, in order", async () => {
  const { peer, go } = await slowCookie();
  const ids = [peer.request("session.get"), peer.request("ping"), peer.request("nonsense")];
  await turnOfTheLoop();
  assert.equal(peer.frames.length, 0);
  go();
  await peer.answer(ids[2] ?? 0);
  assert.deepEqual(
    peer.frames.map((frame) => ("method" in frame ? frame.method : frame.id)),
    ["hello", ...ids],
  );
});

test("[W11] frames that wait for a cookie are bounded", async () => {
  const { peer } = await slowCookie();
  for (let i = 0; i < 40; i++) peer.request("ping");
  await peer.closedWith(4029);
  errorOf(peer.frames[0], "TOO_MANY_IN_FLIGHT");
});

test("[W2] a cookie that can't be looked up is retryable, whether the store says so or says nothing", async () => {
  const harness = new Harness();
  harness.fake.unreachable = true;
  const refused = harness.connect({ cookieToken: "some" });
  await refused.closedWith(4010);
  errorOf(refused.answers(null)[0], "UNAVAILABLE");

  const { harness: silent, peer, go } = await slowCookie();
  await turnOfTheLoop();
  silent.clock.advance(4000);
  await peer.closedWith(4010);
  errorOf(peer.answers(null)[0], "UNAVAILABLE");
  go();
  await turnOfTheLoop();
  assert.equal(silent.sessions.sessionCount, 0);
});

test("[W2] who does not log in within 5 s is closed 4010, who does is not", async () => {
  const harness = new Harness();
  const silent = harness.connect();
  const user = await harness.user();
  harness.clock.advance(4000);
  assert.equal(silent.pair.client.closed, undefined);
  harness.clock.advance(1000);
  await silent.closedWith(4010);
  harness.clock.advance(HOUR);
  await turnOfTheLoop();
  assert.equal(user.closed, undefined);
});

test("[W2] refused credentials are answered, then closed 4500", async () => {
  const harness = new Harness();
  const guess = harness.connect();
  await guess.fails("AUTH_FAILED", "login", { token: "wrong" });
  await guess.closedWith(4500);
  const stale = harness.connect();
  await stale.fails("SESSION_ENDED", "session.resume", { sessionToken: "wrong" });
  await stale.closedWith(4500);
});

test("[W2] a session store that can't be reached is UNAVAILABLE, and the connection may try again", async () => {
  const harness = new Harness();
  const peer = harness.connect();
  harness.fake.unreachable = true;
  await peer.fails("UNAVAILABLE", "login", { token: ACCESS_TOKEN });
  await peer.fails("UNAVAILABLE", "session.resume", { sessionToken: "some-token" });
  assert.equal(peer.closed, undefined);
  harness.fake.unreachable = false;
  await peer.ok("login", { token: ACCESS_TOKEN });
});

test("a second login on one connection is refused, at once or after the first", async () => {
  const harness = new Harness();
  const peer = harness.connect();
  const [first, second] = [ACCESS_TOKEN, ACCESS_TOKEN].map((token) => peer.request("login", { token }));
  assert.ok("result" in (await peer.answer(first ?? 0)));
  errorOf(await peer.answer(second ?? 0), "RATE_LIMITED");
  await peer.fails("ALREADY_AUTHENTICATED", "login", { token: ACCESS_TOKEN });
  await peer.fails("ALREADY_AUTHENTICATED", "session.resume", { sessionToken: "any" });
  assert.equal(harness.fake.rows.length, 1);
  await peer.ok("session.get", {});
});

test("a connection has a few attempts to log in", async () => {
  const harness = new Harness();
  const peer = harness.connect();
  harness.fake.unreachable = true;
  for (let i = 0; i < 10; i++) await peer.fails("UNAVAILABLE", "login", { token: ACCESS_TOKEN });
  harness.fake.unreachable = false;
  const { data } = await peer.fails("RATE_LIMITED", "login", { token: ACCESS_TOKEN });
  assert.ok(data.retryAfterMs !== undefined);
});

test("an address that guesses is slowed down, on every connection", async () => {
  const harness = new Harness();
  for (let i = 0; i < 20; i++) {
    await harness.connect({ remoteAddress: "192.0.2.9" }).fails("AUTH_FAILED", "login", { token: `guess ${i}` });
  }
  const peer = harness.connect({ remoteAddress: "192.0.2.9" });
  const { data } = await peer.fails("RATE_LIMITED", "login", { token: ACCESS_TOKEN });
  assert.ok((data.retryAfterMs ?? 0) > 0);
  await harness.connect({ remoteAddress: "192.0.2.10" }).ok("login", { token: ACCESS_TOKEN });
});

test("without a login, methods but the public ones are UNAUTHENTICATED", async () => {
  const peer = new Harness().connect();
  await peer.ok("ping", {});
  for (const method of ["session.get", "logout", "chat.send", "topic.subscribe", "conversation.list", "model.list"]) {
    await peer.fails("UNAUTHENTICATED", method);
  }
});

test("logout answers, ends the session, and closes its other connections 4504", async () => {
  const harness = new Harness();
  const peer = harness.connect();
  const { sessionToken } = await peer.ok("login", { token: ACCESS_TOKEN });
  const other = harness.connect();
  await other.ok("session.resume", { sessionToken });
  assert.deepEqual(await peer.ok("logout", {}), {});
  await other.closedWith(4504);
  await peer.fails("UNAUTHENTICATED", "session.get");
  await harness.connect().fails("SESSION_ENDED", "session.resume", { sessionToken });
  await peer.ok("login", { token: ACCESS_TOKEN });
});

test("logout cancels what the connection had under way", async () => {
  const harness = new Harness({ replace: { "model.list": () => new Promise(() => {}) } });
  const peer = await harness.user();
  const id = peer.request("model.list");
  await peer.ok("logout", {});
  errorOf(await peer.answer(id), "CANCELLED");
});

test("[W8] session.revoke closes the session's connections 4504, its own after the answer", async () => {
  const harness = new Harness();
  const [mine, other] = [await harness.user(), await harness.user()];
  const { sessions } = await mine.ok("session.list", {});
  assert.equal(sessions.length, 2);
  const theirs = sessions.find(({ current }) => !current);
  const own = sessions.find(({ current }) => current);
  await mine.ok("session.revoke", { sessionId: theirs?.id ?? "" });
  await other.closedWith(4504);
  await mine.fails("NOT_FOUND", "session.revoke", { sessionId: theirs?.id ?? "" });
  assert.deepEqual(await mine.ok("session.revoke", { sessionId: own?.id ?? "" }), {});
  await mine.closedWith(4504);
});

test("[W3] what a revoked session had under way is answered before the close, or given up soon", async () => {
  const gate = Promise.withResolvers<object>();
  const harness = new Harness({
    replace: { "model.list": () => gate.promise, "run.get": () => new Promise(() => {}) },
  });
  const [quick, stuck] = [await harness.user(), await harness.user()];
  const id = quick.request("model.list");
  stuck.request("run.get", { runId: "r" });
  await turnOfTheLoop();
  const scope = { tenantId: "tenant-1", userId: "user-1" };
  const sessionIds = harness.fake.rows.map(({ session }) => session.id);
  for (const sessionId of sessionIds) await harness.sessions.revoke(scope, sessionId);
  quick.request("ping");
  await turnOfTheLoop();
  assert.deepEqual([quick.closed, stuck.closed], [undefined, undefined]);
  gate.resolve({ models: [] });
  await quick.closedWith(4504);
  assert.equal(quick.answers(id).length, 1);
  harness.clock.advance(2000);
  await stuck.closedWith(4504);
});

test("[W2] an expired session: the request is SESSION_ENDED, the connection closed 4500", async () => {
  const harness = new Harness();
  const peer = await harness.user();
  harness.fake.now += 25 * HOUR;
  await peer.fails("SESSION_ENDED", "session.get");
  await peer.closedWith(4500);
});

test("[W2] whether a session has expired can't be told in an outage: UNAVAILABLE, and no close", async () => {
  const harness = new Harness();
  const peer = await harness.user();
  harness.fake.now += 25 * HOUR;
  harness.fake.unreachable = true;
  await peer.fails("UNAVAILABLE", "session.get");
  assert.equal(peer.closed, undefined);
});

test("an idle connection of an expired session is closed 4500 by the sweep", async () => {
  const harness = new Harness();
  const peer = await harness.user();
  harness.fake.now += 25 * HOUR;
  harness.clock.advance(30_000);
  await peer.closedWith(4500);
  assert.equal(harness.sessions.sessionCount, 0);
});

test("what is for owners is FORBIDDEN to others", async () => {
  const harness = new Harness({ permit: { "model.list": "owner" } });
  await harness.connect().fails("UNAUTHENTICATED", "model.list");
  await (await harness.user()).ok("model.list", {});
  const { sessionToken } = await harness.sessions.login(ACCESS_TOKEN, "", "");
  const row = harness.fake.rows.at(-1);
  assert.ok(row);
  row.session = { ...row.session, roles: ["member"] };
  harness.fake.now += 60_000;
  const member = harness.connect();
  await member.ok("session.resume", { sessionToken });
  await member.fails("FORBIDDEN", "model.list");
});
