import assert from "node:assert/strict";
import test from "node:test";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { FakeSessionStore } from "../../test/support/sessions.fake.ts";
import { type ErrorCode, ParleyError } from "../protocol/errors.ts";
import { ConnectionCounts } from "./connection-counts.ts";
import type { SessionEnd } from "./live-session.ts";
import { LOGIN_CODE_MS } from "./login-codes.ts";
import { hashSecret } from "./secrets.ts";
import { SessionManager, type SessionManagerOptions } from "./session-manager.ts";

const HOUR = 3_600_000;
const ACCESS_TOKEN = "an-access-token-of-at-least-32-characters";
const HERE = "192.0.2.1";

function setUp(options: Partial<SessionManagerOptions> = {}) {
  const store = new FakeSessionStore();
  const log = recordingLogger();
  const manager = new SessionManager({
    store,
    log,
    lifetimeMs: 24 * HOUR,
    accessToken: ACCESS_TOKEN,
    requestRate: { perSecond: 10, burst: 10 },
    now: () => store.now,
    ...options,
  });
  return { store, log, manager };
}

const code = (expected: ErrorCode) => (error: unknown) => {
  assert.ok(error instanceof ParleyError, String(error));
  assert.equal(error.code, expected);
  return true;
};

class Member {
  ended: SessionEnd[] = [];
  sessionEnded(end: SessionEnd): void {
    this.ended.push(end);
  }
}

/** Lets what was started without being awaited finish. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test("[W2] the access token logs in, and the audit says so", async () => {
  const { store, manager } = setUp();
  const { session, sessionToken } = await manager.login(ACCESS_TOKEN, "laptop", HERE);
  assert.equal(store.rows[0]?.method, "access-token");
  assert.equal(session.device, "laptop");
  assert.match(sessionToken, /^[A-Za-z0-9_-]{43}$/);
});

test("only the hash of a token reaches the store", async () => {
  const { store, manager } = setUp();
  const { sessionToken } = await manager.login(ACCESS_TOKEN, "laptop", HERE);
  assert.equal(store.rows[0]?.tokenHash, hashSecret(sessionToken));
  assert.ok(!JSON.stringify(store.rows).includes(sessionToken));
});

test("a wrong token, and any token while none is set, are refused", async () => {
  const { manager } = setUp();
  await assert.rejects(manager.login("wrong", "", HERE), code("AUTH_FAILED"));
  await assert.rejects(manager.login(`${ACCESS_TOKEN} `, "", HERE), code("AUTH_FAILED"));
  const without = setUp({ accessToken: undefined }).manager;
  assert.equal(without.accessTokenEnabled, false);
  await assert.rejects(without.login("", "", HERE), code("AUTH_FAILED"));
  await assert.rejects(without.login("undefined", "", HERE), code("AUTH_FAILED"));
});

test("[W2] a login code works once", async () => {
  const { store, manager } = setUp();
  const link = await manager.createLoginCode();
  const { session } = await manager.redeemCode(link, "browser", HERE);
  assert.equal(session.user.name, "Owner");
  assert.equal(store.rows[0]?.method, "link");
  await assert.rejects(manager.redeemCode(link, "browser", HERE), code("AUTH_FAILED"));
});

test("[W2] a login code works for ten minutes", async () => {
  const { store, manager } = setUp();
  const early = await manager.createLoginCode();
  const late = await manager.createLoginCode();
  store.now += LOGIN_CODE_MS - 1;
  await manager.redeemCode(early, "", HERE);
  store.now += 1;
  await assert.rejects(manager.redeemCode(late, "", HERE), code("AUTH_FAILED"));
});

test("a login code survives a store that can't be reached", async () => {
  const { store, manager } = setUp();
  const link = await manager.createLoginCode();
  store.unreachable = true;
  await assert.rejects(manager.redeemCode(link, "", HERE), code("UNAVAILABLE"));
  store.unreachable = false;
  await manager.redeemCode(link, "", HERE);
});

test("refusals slow an address down, good logins do not, and others are not affected", async () => {
  const { manager } = setUp({ attempts: { perSecond: 0.001, burst: 3 } });
  for (let i = 0; i < 10; i++) await manager.login(ACCESS_TOKEN, "", HERE);
  for (let i = 0; i < 3; i++) await assert.rejects(manager.login("guess", "", HERE), code("AUTH_FAILED"));
  await assert.rejects(manager.login(ACCESS_TOKEN, "", HERE), (error: unknown) => {
    assert.ok(error instanceof ParleyError);
    assert.equal(error.code, "RATE_LIMITED");
    assert.ok(error.retryable && error.retryAfterMs !== undefined && error.retryAfterMs > 0);
    return true;
  });
  await assert.rejects(manager.redeemCode("guess", "", HERE), code("RATE_LIMITED"));
  await assert.rejects(manager.resume("guess", HERE), code("RATE_LIMITED"));
  await manager.login(ACCESS_TOKEN, "", "192.0.2.2");
});

test("a session is resumed by its token, by another process too", async () => {
  const { store, manager } = setUp();
  const { session, sessionToken } = await manager.login(ACCESS_TOKEN, "", HERE);
  assert.equal((await manager.resume(sessionToken, HERE)).id, session.id);
  const other = new SessionManager({
    store,
    log: recordingLogger(),
    lifetimeMs: HOUR,
    requestRate: { perSecond: 1, burst: 1 },
    now: () => store.now,
  });
  assert.equal((await other.resume(sessionToken, HERE)).id, session.id);
});

test("a session that was just confirmed is not asked for again", async () => {
  const { store, manager } = setUp();
  const { sessionToken } = await manager.login(ACCESS_TOKEN, "", HERE);
  store.calls.length = 0;
  await manager.resume(sessionToken, HERE);
  await manager.resume(sessionToken, HERE);
  assert.deepEqual(store.calls, []);
  store.now += 60_000;
  await manager.resume(sessionToken, HERE);
  assert.deepEqual(store.calls, ["find"]);
});

test("[W2] a store that can't be reached is UNAVAILABLE, never a refusal, and no attempt at guessing", async () => {
  const { store, manager } = setUp({ attempts: { perSecond: 0.001, burst: 1 } });
  store.unreachable = true;
  for (let i = 0; i < 5; i++) {
    await assert.rejects(manager.resume("some-token", HERE), code("UNAVAILABLE"));
    await assert.rejects(manager.resumeCookie("some-token"), code("UNAVAILABLE"));
    await assert.rejects(manager.login(ACCESS_TOKEN, "", HERE), code("UNAVAILABLE"));
  }
});

test("[R8] in an outage a session that was known shortly before is resumed, and one long unseen is not", async () => {
  const { store, manager } = setUp();
  const { sessionToken } = await manager.login(ACCESS_TOKEN, "", HERE);
  store.unreachable = true;
  store.now += 5 * 60_000;
  await manager.resume(sessionToken, HERE);
  store.now += 6 * 60_000;
  await assert.rejects(manager.resume(sessionToken, HERE), code("UNAVAILABLE"));
});

test("a revoked session ends its connections, and can't be resumed in an outage either", async () => {
  const { store, manager } = setUp();
  const { session, sessionToken } = await manager.login(ACCESS_TOKEN, "", HERE);
  const members = [new Member(), new Member()];
  const live = members.map((member) => manager.attach(session, member))[0];
  assert.ok(live);
  assert.equal(manager.sessionCount, 1);
  assert.equal(await manager.revoke(live.scope, session.id), true);
  assert.deepEqual(
    members.map((member) => member.ended),
    [["revoked"], ["revoked"]],
  );
  assert.equal(manager.sessionCount, 0);
  assert.equal(await manager.revoke(live.scope, session.id), false);
  store.unreachable = true;
  await assert.rejects(manager.resume(sessionToken, HERE), code("UNAVAILABLE"));
  store.unreachable = false;
  await assert.rejects(manager.resume(sessionToken, HERE), code("SESSION_ENDED"));
});

test("another user's session can't be revoked", async () => {
  const { manager } = setUp();
  const { session } = await manager.login(ACCESS_TOKEN, "", HERE);
  const member = new Member();
  manager.attach(session, member);
  assert.equal(await manager.revoke({ tenantId: "tenant-1", userId: "user-2" }, session.id), false);
  assert.deepEqual(member.ended, []);
});

test("a look-up that a revocation overtakes does not bring the session back", async () => {
  const { store, manager } = setUp();
  const { session, sessionToken } = await manager.login(ACCESS_TOKEN, "", HERE);
  store.now += 60_000;
  let go: () => void = () => {};
  store.pause = new Promise((resolve) => (go = resolve));
  const resumed = manager.resume(sessionToken, HERE);
  await settle();
  await manager.revoke({ tenantId: "tenant-1", userId: "user-1" }, session.id);
  go();
  await assert.rejects(resumed, code("SESSION_ENDED"));
});

test("a session that ended between its look-up and its use is not attached", async () => {
  const { manager } = setUp();
  const { session, sessionToken } = await manager.login(ACCESS_TOKEN, "", HERE);
  const resumed = await manager.resume(sessionToken, HERE);
  await manager.revoke({ tenantId: "tenant-1", userId: "user-1" }, session.id);
  assert.throws(() => manager.attach(resumed, new Member()), code("SESSION_ENDED"));
});

test("logout ends the others and leaves the one that asked", async () => {
  const { manager } = setUp();
  const { session, sessionToken } = await manager.login(ACCESS_TOKEN, "", HERE);
  const [mine, other] = [new Member(), new Member()];
  const live = manager.attach(session, mine);
  manager.attach(session, other);
  await manager.logout(live, mine);
  assert.deepEqual(mine.ended, []);
  assert.deepEqual(other.ended, ["revoked"]);
  await assert.rejects(manager.resume(sessionToken, HERE), code("SESSION_ENDED"));
});

test("the expiry slides with use, at most about once an hour", async () => {
  const { store, manager } = setUp();
  const { session } = await manager.login(ACCESS_TOKEN, "", HERE);
  const live = manager.attach(session, new Member());
  store.calls.length = 0;
  for (let minute = 0; minute < 48 * 60; minute++) {
    store.now += 60_000;
    assert.equal(manager.use(live), true);
    await settle();
  }
  assert.equal(store.calls.length, 48);
  assert.ok(Date.parse(live.stored.expiresAt) > store.now + 22 * HOUR);
});

test("[W2] a session that nobody uses ends", async () => {
  const { store, manager } = setUp();
  const { session } = await manager.login(ACCESS_TOKEN, "", HERE);
  const member = new Member();
  const live = manager.attach(session, member);
  store.now += 24 * HOUR;
  assert.equal(manager.use(live), false);
  assert.equal(await manager.verify(live), false);
  assert.deepEqual(member.ended, ["expired"]);
});

test("a session whose expiry was moved elsewhere lives on", async () => {
  const { store, manager } = setUp();
  const { session } = await manager.login(ACCESS_TOKEN, "", HERE);
  const member = new Member();
  const live = manager.attach(session, member);
  store.now += 23 * HOUR;
  await store.touch(session.id, 24 * HOUR);
  store.now += 2 * HOUR;
  await manager.sweep();
  assert.deepEqual(member.ended, []);
  assert.equal(manager.use(live), true);
});

test("the sweep ends what has expired, and waits while the store can't say", async () => {
  const { store, manager, log } = setUp();
  const { session } = await manager.login(ACCESS_TOKEN, "", HERE);
  const member = new Member();
  manager.attach(session, member);
  store.now += 25 * HOUR;
  store.unreachable = true;
  await manager.sweep();
  assert.deepEqual(member.ended, []);
  assert.equal(log.lines.length, 1);
  store.unreachable = false;
  await manager.sweep();
  assert.deepEqual(member.ended, ["expired"]);
});

test("a failed slide is tried again soon, and logged", async () => {
  const { store, manager, log } = setUp();
  const { session } = await manager.login(ACCESS_TOKEN, "", HERE);
  const live = manager.attach(session, new Member());
  store.now += 2 * HOUR;
  store.unreachable = true;
  manager.use(live);
  await settle();
  assert.equal(log.lines[0]?.level, "warn");
  store.unreachable = false;
  store.now += 60_000;
  manager.use(live);
  await settle();
  assert.equal(Date.parse(live.stored.expiresAt), store.now + 24 * HOUR);
});

test("sessions without a connection are forgotten beyond a thousand, those with one never", async () => {
  const { store, manager } = setUp();
  const first = await manager.login(ACCESS_TOKEN, "", HERE);
  const used = await manager.login(ACCESS_TOKEN, "", HERE);
  const live = manager.attach(used.session, new Member());
  for (let i = 0; i < 1001; i++) await manager.login(ACCESS_TOKEN, "", HERE);
  store.calls.length = 0;
  await manager.resume(used.sessionToken, HERE);
  assert.deepEqual(store.calls, []);
  assert.equal(live.ended, false);
  await manager.resume(first.sessionToken, HERE);
  assert.deepEqual(store.calls, ["find"]);
});

test("a device's name is cut and can be stored", async () => {
  const { manager } = setUp();
  const { session } = await manager.login(ACCESS_TOKEN, `a\u0000b\ud800${"x".repeat(500)}`, HERE);
  assert.equal(session.device.length, 199);
  assert.ok(session.device.startsWith("ab\ufffdx"));
});

test("a session that another node ended loses its connections at once, and a look-up that read it before is repeated", async () => {
  const { store, manager } = setUp();
  const revoked: string[] = [];
  const other = setUp({ store, now: () => store.now, onRevoked: (id) => revoked.push(id) }).manager;
  const { session, sessionToken } = await manager.login(ACCESS_TOKEN, "", HERE);
  const member = new Member();
  const { scope } = manager.attach(session, member);
  const pause = Promise.withResolvers<void>();
  store.pause = pause.promise;
  store.now += 60_000;
  const late = manager.resume(sessionToken, HERE);
  await settle();
  store.pause = undefined;
  assert.equal(await other.revoke(scope, session.id), true);
  assert.deepEqual(revoked, [session.id]);
  manager.revokedElsewhere(session.id);
  assert.deepEqual(member.ended, ["revoked"]);
  pause.resolve();
  await assert.rejects(late, code("SESSION_ENDED"));
  assert.equal(await other.revoke(scope, session.id), false);
  assert.deepEqual(revoked, [session.id], "what was not there is no news");
});

test("a revocation that nobody told of is found by asking the store, and its outage ends nothing", async () => {
  const { store, manager } = setUp();
  const logins = await Promise.all([1, 2, 3].map(() => manager.login(ACCESS_TOKEN, "", HERE)));
  const members = logins.map(({ session }) => {
    const member = new Member();
    manager.attach(session, member);
    return member;
  });
  await store.revoke({ tenantId: "tenant-1", userId: "user-1" }, logins[1]!.session.id);
  store.unreachable = true;
  await assert.rejects(manager.confirm(), code("UNAVAILABLE"));
  assert.deepEqual(
    members.map(({ ended }) => ended),
    [[], [], []],
  );
  store.unreachable = false;
  await manager.confirm();
  assert.deepEqual(
    members.map(({ ended }) => ended),
    [[], ["revoked"], []],
  );
  assert.equal(manager.sessionCount, 2);
});

test("logins that were refused elsewhere count here", async () => {
  const failed: string[] = [];
  const sharedAttempts = {
    wait: async () => (failed.length < 2 ? 0 : 700),
    failed: (address: string) => failed.push(address),
  };
  const { manager } = setUp({ sharedAttempts });
  for (let i = 0; i < 2; i++) await assert.rejects(manager.login("guess", "", HERE), code("AUTH_FAILED"));
  assert.deepEqual(failed, [HERE, HERE]);
  await assert.rejects(manager.login(ACCESS_TOKEN, "", HERE), (error: unknown) => {
    assert.ok(error instanceof ParleyError);
    assert.deepEqual([error.code, error.retryAfterMs], ["RATE_LIMITED", 700]);
    return true;
  });
});

test("[W11] a person's connections beyond the limit are refused, over all sessions; any that ends makes room", async () => {
  const counts = new ConnectionCounts({ perUser: 2, perAddress: undefined });
  const { manager } = setUp({ counts });
  const [one, two] = [await manager.login(ACCESS_TOKEN, "", HERE), await manager.login(ACCESS_TOKEN, "", HERE)];
  const members = [new Member(), new Member(), new Member()];
  const first = manager.attach(one.session, members[0]!);
  manager.attach(two.session, members[1]!);
  const third = () => manager.attach(one.session, members[2]!);
  assert.throws(third, code("TOO_MANY_CONNECTIONS"));
  manager.detach(first, members[0]!);
  assert.equal(third(), first);
  assert.throws(() => manager.attach(two.session, members[0]!), code("TOO_MANY_CONNECTIONS"));
  await manager.revoke(first.scope, one.session.id);
  manager.detach(first, members[2]!);
  manager.attach(two.session, members[0]!);
  assert.throws(() => manager.attach(two.session, members[2]!), code("TOO_MANY_CONNECTIONS"));
});
