import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { ParleyError } from "../../src/protocol/errors.ts";
import { getHandlerContext } from "../../src/sessions/user-context.ts";
import { ACCESS_TOKEN, errorOf, Harness, turnOfTheLoop } from "../support/gateway-harness.ts";

const never = () => new Promise<never>(() => {});

test("[W3] answers come in any order, each to its own request", async () => {
  const gates = new Map<string, PromiseWithResolvers<object>>();
  const harness = new Harness({
    checkResults: false,
    replace: {
      "run.get": (_context, params) => {
        const gate = Promise.withResolvers<object>();
        gates.set((params as { runId: string }).runId, gate);
        return gate.promise;
      },
    },
  });
  const peer = await harness.user();
  const ids = ["a", "b", "c"].map((runId) => peer.request("run.get", { runId }));
  await turnOfTheLoop();
  for (const runId of ["c", "a", "b"]) gates.get(runId)?.resolve({ runId });
  await Promise.all(ids.map((id) => peer.answer(id)));
  assert.deepEqual(
    ids.map((id) => peer.answers(id).map((frame) => ("result" in frame ? frame.result : frame))),
    [[{ runId: "a" }], [{ runId: "b" }], [{ runId: "c" }]],
  );
});

test("[W7] what a handler throws by mistake is INTERNAL: nothing of it on the wire, all of it in the log", async () => {
  const throws = [
    () => {
      throw new Error("password=hunter2 at /srv/db.ts");
    },
    () => Promise.reject(new TypeError("password=hunter2")),
    () => {
      throw Object.assign(new Error("x"), { code: "NOT_FOUND", sql: "password=hunter2" });
    },
    () => Promise.reject(undefined),
  ];
  for (const run of throws) {
    const harness = new Harness({ replace: { "model.list": run } });
    const peer = await harness.user({ id: "c-9" });
    const id = peer.request("model.list");
    const error = errorOf(await peer.answer(id), "INTERNAL");
    assert.ok(!JSON.stringify(error).includes("hunter2"));
    const line = harness.log.lines.find(({ level }) => level === "error");
    assert.ok(line);
    const fields = line.fields as Record<string, unknown>;
    assert.deepEqual([fields["connectionId"], fields["requestId"], fields["method"]], ["c-9", id, "model.list"]);
    assert.ok("err" in fields);
  }
});

test("[W7] a ParleyError says what it is, with its hints, and its cause stays here", async () => {
  const harness = new Harness({
    replace: {
      "model.list": () => {
        throw new ParleyError("UNAVAILABLE", { retryAfterMs: 250, cause: new Error("password=hunter2") });
      },
    },
  });
  const peer = await harness.user();
  const error = await peer.fails("UNAVAILABLE", "model.list");
  assert.equal(error.data.retryAfterMs, 250);
  assert.ok(!JSON.stringify(error).includes("hunter2"));
  assert.equal(harness.log.lines.filter(({ level }) => level === "warn").length, 1);
});

/** A `model.list` that answers when the test says so, and whether its handler was told to stop. */
function waiting() {
  const late = Promise.withResolvers<object>();
  let signal: AbortSignal | undefined;
  const harness = new Harness({
    replace: {
      "model.list": (context) => {
        ({ signal } = context);
        return late.promise;
      },
    },
  });
  return { harness, late, aborted: () => signal?.aborted };
}

test("[W3] a handler that never answers is answered TIMEOUT after 30 s, once, and learns of it", async () => {
  const { harness, late, aborted } = waiting();
  const peer = await harness.user();
  const id = peer.request("model.list");
  await turnOfTheLoop();
  harness.clock.advance(29_000);
  await turnOfTheLoop();
  assert.deepEqual(peer.answers(id), []);
  assert.equal(aborted(), false);
  harness.clock.advance(2000);
  errorOf(await peer.answer(id), "TIMEOUT");
  assert.equal(aborted(), true);
  late.resolve({ models: [] });
  await turnOfTheLoop();
  assert.equal(peer.answers(id).length, 1);
  assert.deepEqual(harness.finished.at(-1), { method: "model.list", error: "TIMEOUT" });
});

test("[W12] request.cancel ends a request that waits: CANCELLED, once, its handler told", async () => {
  const { harness, late, aborted } = waiting();
  const peer = await harness.user();
  const id = peer.request("model.list");
  assert.deepEqual(await peer.ok("request.cancel", { requestId: id }), { cancelled: true });
  errorOf(peer.answers(id)[0], "CANCELLED");
  assert.equal(aborted(), true);
  late.resolve({ models: [] });
  assert.deepEqual(await peer.ok("request.cancel", { requestId: id }), { cancelled: false });
  assert.equal(peer.answers(id).length, 1);
});

test("[W12] nobody can cancel the request of another connection, nor one that is not there", async () => {
  const harness = new Harness({ replace: { "model.list": never } });
  const [mine, other] = [await harness.user(), await harness.user()];
  const id = mine.request("model.list");
  assert.deepEqual(await other.ok("request.cancel", { requestId: id }), { cancelled: false });
  assert.deepEqual(await other.ok("request.cancel", { requestId: "none" }), { cancelled: false });
  await turnOfTheLoop();
  assert.deepEqual(mine.answers(id), []);
});

test("a handler whose connection goes learns by its signal, also when it asks for it only then", async () => {
  let context: { readonly signal: AbortSignal } | undefined;
  const harness = new Harness({
    replace: {
      "model.list": (given) => {
        context = given;
        return never();
      },
    },
  });
  const peer = await harness.user();
  peer.request("model.list");
  await turnOfTheLoop();
  peer.pair.cut();
  assert.equal(context?.signal.aborted, true);
});

test("[W11] 64 requests may wait on a connection; one more is TOO_MANY_IN_FLIGHT, and cancelling makes room", async () => {
  const harness = new Harness({ replace: { "model.list": never } });
  const peer = await harness.user();
  const ids = Array.from({ length: 64 }, () => peer.request("model.list"));
  await peer.fails("TOO_MANY_IN_FLIGHT", "ping");
  await peer.ok("request.cancel", { requestId: ids[0] ?? 0 });
  await peer.ok("ping", {});
  assert.equal(peer.closed, undefined);
  await (await harness.user()).ok("ping", {});
});

test("an id that still waits can't be used again on its connection", async () => {
  const harness = new Harness({ replace: { "model.list": never } });
  const peer = await harness.user();
  const frame = (method: string) => JSON.stringify({ jsonrpc: "2.0", id: "same", method });
  peer.raw(frame("model.list"));
  peer.raw(frame("ping"));
  errorOf(await peer.answer("same"), "INVALID_REQUEST");
  await peer.ok("request.cancel", { requestId: "same" });
  peer.raw(frame("ping"));
  await turnOfTheLoop();
  assert.equal(peer.answers("same").length, 3);
});

test("[W11] the connections of a session share one bucket: its burst, then RATE_LIMITED with the time to wait", async () => {
  const harness = new Harness({ limits: { requestsPerSecond: 10, requestBurst: 5 } });
  const first = harness.connect();
  const { sessionToken } = await first.ok("login", { token: ACCESS_TOKEN });
  const second = harness.connect();
  await second.ok("session.resume", { sessionToken });
  await first.ok("ping", {});
  await second.ok("ping", {});
  for (let i = 0; i < 3; i++) await first.ok("ping", {});
  const { data } = await second.fails("RATE_LIMITED", "ping");
  assert.equal(data.retryAfterMs, 100);
  harness.clock.advance(100);
  await second.ok("ping", {});
  const other = await harness.user();
  await other.ok("ping", {});
});

test("[W8] who goes on in spite of RATE_LIMITED is closed 4029", async () => {
  const harness = new Harness({ limits: { requestsPerSecond: 1, requestBurst: 1 } });
  const peer = await harness.user();
  await peer.ok("ping", {});
  for (let i = 0; i < 1001; i++) peer.request("ping");
  await peer.closedWith(4029);
});

test("[W11] before the login a connection has thirty requests, then ten a second", async () => {
  const peer = new Harness().connect();
  for (let i = 0; i < 30; i++) await peer.ok("ping", {});
  await peer.fails("RATE_LIMITED", "ping");
});

test("[W1] a result that does not fit its schema, or no frame, is INTERNAL and logged", async () => {
  const wrong = [() => ({ models: [{ id: 5 }] }), () => undefined, () => ({ models: [], self: 1n })];
  const large = { models: [{ id: "x".repeat(200_000), provider: "", name: "", available: true }] };
  for (const run of [...wrong, () => large, async () => large]) {
    const harness = new Harness({ replace: { "model.list": run } });
    const peer = await harness.user();
    await peer.fails("INTERNAL", "model.list");
    assert.equal(harness.log.lines.filter(({ level }) => level === "error").length, 1);
  }
});

test("in production results are not checked against their schema", async () => {
  const harness = new Harness({ checkResults: false, replace: { "model.list": () => ({ models: 5 }) } });
  const peer = await harness.user();
  assert.deepEqual(await peer.ok("model.list", {}), { models: 5 });
});

test("a handler sees who calls, and code that it calls finds its context", async () => {
  const seen: unknown[] = [];
  const harness = new Harness({
    replace: {
      "model.list": async (context) => {
        await turnOfTheLoop();
        assert.equal(getHandlerContext(), context);
        seen.push(context.connectionId, context.remoteAddress, context.user.name, context.tenant.name, context.roles);
        seen.push(context.scope, context.session.id === harness.fake.rows[0]?.session.id, context.limits.inFlight);
        return { models: [] };
      },
    },
  });
  const peer = await harness.user({ id: "c-1", remoteAddress: "192.0.2.7" });
  await peer.ok("model.list", {});
  const scope = { tenantId: "tenant-1", userId: "user-1" };
  assert.deepEqual(seen, ["c-1", "192.0.2.7", "Owner", "Home", ["owner"], scope, true, 64]);
  assert.throws(() => getHandlerContext(), /outside of a handler/);
});

test("[L7] a peer that does not read its answers is closed 4008 above 1 MiB", async () => {
  const models = [{ id: "x".repeat(60_000), provider: "p", name: "n", available: true }];
  const harness = new Harness({ replace: { "model.list": () => ({ models }) } });
  const peer = await harness.user();
  const { connection } = peer.pair;
  peer.pair.window = 0;
  // Calls the listener directly: a flush would deliver what the peer is not to read.
  for (let i = 1; connection.bufferedBytes < 1024 * 1024 && i < 100; i++) {
    harness.gateway.listener.message(connection, JSON.stringify({ jsonrpc: "2.0", id: `b${i}`, method: "model.list" }));
  }
  await peer.closedWith(4008);
});

test("[W3] whatever is sent, each request that can be read gets exactly one answer", async () => {
  const id = fc.oneof(fc.string({ maxLength: 64 }), fc.maxSafeInteger());
  const method = fc.constantFrom("ping", "model.list", "session.get", "nonsense", "request.cancel", "run.get");
  const params = fc.oneof(
    fc.constant({}),
    fc.object({ maxDepth: 2 }),
    fc.constant({ runId: "r" }),
    fc.constant({ requestId: 1 }),
  );
  const request = fc.record({ id, method, params });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(request, { selector: (r) => r.id, maxLength: 40 }), async (requests) => {
      const harness = new Harness({
        replace: {
          "run.get": async () => {
            await turnOfTheLoop();
            throw new ParleyError("NOT_FOUND");
          },
          "model.list": async () => ({ models: [] }),
        },
      });
      const peer = harness.connect();
      const login = { jsonrpc: "2.0", id: {}, method: "login" };
      peer.raw(JSON.stringify({ ...login, id: "the-login-of-this-test", params: { token: ACCESS_TOKEN } }));
      await peer.answer("the-login-of-this-test");
      for (const r of requests) peer.raw(JSON.stringify({ jsonrpc: "2.0", ...r }));
      for (let turn = 0; turn < 5; turn++) await turnOfTheLoop();
      harness.clock.advance(40_000);
      await turnOfTheLoop();
      for (const r of requests) {
        if (r.id !== "the-login-of-this-test") assert.equal(peer.answers(r.id).length, 1, JSON.stringify(r));
      }
    }),
    { numRuns: 60 },
  );
});
