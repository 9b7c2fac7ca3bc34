import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/clock.fake.ts";
import { httpRequest } from "../../test/support/http-request.ts";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { statusRoutes } from "./http-routes.ts";
import { createNodeHealth } from "./node-health.ts";
import { HYSTERESIS_MS, isReady, probed, READY, type Readiness } from "./readiness.ts";

function start() {
  const clock = new FakeClock();
  const log = recordingLogger();
  const state = { draining: false, sessions: 3, probes: 0, probe: (): Promise<void> => Promise.resolve() };
  const routes = statusRoutes({
    mode: "web",
    sessions: () => state.sessions,
    draining: () => state.draining,
    health: createNodeHealth({
      probe: () => {
        state.probes++;
        return state.probe();
      },
      log,
      clock,
    }),
    metrics: () => Promise.resolve({ contentType: "text/plain; version=0.0.4", body: "up 1\n" }),
    clock,
  });
  async function get(path: string) {
    const route = routes.find((candidate) => candidate.path === path);
    assert.ok(route, path);
    const { status, headers, body } = await route.handle(httpRequest(path));
    assert.equal(headers["cache-control"], "no-store");
    const json = headers["content-type"] === "application/json; charset=utf-8";
    return { status, headers, body: json ? (JSON.parse(String(body)) as unknown) : body };
  }
  const fail = () => (state.probe = () => Promise.reject(new Error("password=hunter2 of 10.0.0.3")));
  const heal = () => (state.probe = () => Promise.resolve());
  return { clock, log, state, get, fail, heal };
}

test("/health says healthy, the mode and the sessions", async () => {
  const { get } = start();
  const { status, body } = await get("/health");
  assert.equal(status, 200);
  assert.deepEqual(body, { status: "healthy", mode: "web", sessions: 3 });
});

test("/health is 503 with a reason, which says nothing about the inside, while the store is away", async () => {
  const { get, fail, heal, clock, log } = start();
  fail();
  const { status, body } = await get("/health");
  assert.equal(status, 503);
  const { reason, ...rest } = body as Record<string, unknown>;
  assert.deepEqual(rest, { status: "unhealthy", mode: "web", sessions: 3 });
  assert.match(String(reason), /store/);
  assert.ok(!JSON.stringify(body).includes("hunter2"));
  clock.advance(1000);
  await get("/health");
  heal();
  clock.advance(1000);
  assert.equal((await get("/health")).status, 200);
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ["warn", "info"],
    "a change is logged, a probe is not",
  );
});

test("a store that never answers is one that does not", async () => {
  const { get, state, clock } = start();
  state.probe = () => new Promise(() => {});
  const answer = get("/health");
  clock.advance(5000);
  assert.equal((await answer).status, 503);
});

test("the store is probed once a second at most, however many ask", async () => {
  const { get, state, clock } = start();
  await Promise.all(Array.from({ length: 50 }, () => Promise.all([get("/health"), get("/readyz")])));
  assert.equal(state.probes, 1);
  clock.advance(999);
  await get("/readyz");
  assert.equal(state.probes, 1);
  clock.advance(1);
  await get("/readyz");
  assert.equal(state.probes, 2);
});

test("[PITFALLS 25] /livez never asks the store", async () => {
  const { get, state, fail } = start();
  fail();
  state.draining = true;
  assert.deepEqual(await get("/livez").then(({ status, body }) => [status, body]), [200, { status: "alive" }]);
  assert.equal(state.probes, 0);
});

test("[PITFALLS 25] /readyz outlasts ten seconds of failures, and is back with the first success", async () => {
  const { get, fail, heal, clock } = start();
  const status = async () => (await get("/readyz")).status;
  assert.equal(await status(), 200);
  fail();
  clock.advance(1000);
  assert.equal(await status(), 200);
  clock.advance(HYSTERESIS_MS - 1);
  assert.equal(await status(), 200);
  clock.advance(1000);
  assert.equal(await status(), 503);
  heal();
  clock.advance(1000);
  assert.equal(await status(), 200);
});

test("[PITFALLS 25] a failure that the first probe meets is outlasted too: the node had reached its store to start", async () => {
  const { get, fail, clock } = start();
  fail();
  assert.equal((await get("/readyz")).status, 200);
  clock.advance(HYSTERESIS_MS);
  assert.equal((await get("/readyz")).status, 503);
});

test("[R12] a draining node is neither ready nor healthy, at once", async () => {
  const { get, state } = start();
  assert.equal((await get("/readyz")).status, 200);
  state.draining = true;
  assert.equal((await get("/readyz")).status, 503);
  const { status, body } = await get("/health");
  assert.equal(status, 503);
  assert.deepEqual(body, {
    status: "unhealthy",
    reason: "This node is shutting down.",
    mode: "web",
    sessions: 3,
  });
});

test("/metrics is what the metrics say", async () => {
  const { get } = start();
  const { status, headers, body } = await get("/metrics");
  assert.deepEqual([status, headers["content-type"], body], [200, "text/plain; version=0.0.4", "up 1\n"]);
});

test("readiness: a success in between starts the ten seconds anew", () => {
  let state: Readiness = READY;
  const steps: readonly (readonly [at: number, ok: boolean, ready: boolean])[] = [
    [0, false, true],
    [1000, true, true],
    [2000, false, true],
    [11_000, false, true],
    [11_500, true, true],
    [12_000, false, true],
    [21_999, false, true],
    [22_000, false, false],
    [22_001, true, true],
  ];
  for (const [at, ok, ready] of steps) {
    state = probed(state, ok, at);
    assert.equal(isReady(state, at), ready, `at ${at}`);
  }
});

test("[R8] Redis away, or unfit, is named by /health at once and by /readyz after the hysteresis; /livez asks nobody", async () => {
  const clock = new FakeClock();
  const log = recordingLogger();
  const redis = { probes: 0, answer: (): Promise<string | undefined> => Promise.resolve(undefined) };
  const routes = statusRoutes({
    mode: "web",
    sessions: () => 0,
    draining: () => false,
    health: createNodeHealth({
      probe: () => Promise.resolve(),
      dependencies: [
        {
          name: "Redis",
          down: "Redis does not answer.",
          probe: () => {
            redis.probes++;
            return redis.answer();
          },
        },
      ],
      log,
      clock,
    }),
    metrics: () => Promise.resolve({ contentType: "text/plain", body: "" }),
    clock,
  });
  const get = async (path: string) => {
    clock.advance(1000);
    const { status, body } = await routes.find((route) => route.path === path)!.handle(httpRequest(path));
    return { status, body: JSON.parse(String(body)) as Record<string, unknown> };
  };
  assert.equal((await get("/readyz")).status, 200);
  redis.answer = () => Promise.reject(new Error("password=hunter2"));
  assert.deepEqual((await get("/health")).body["reason"], "Redis does not answer.");
  assert.deepEqual((await get("/readyz")).body, { status: "ready", reason: "Redis does not answer." });
  clock.advance(HYSTERESIS_MS);
  assert.deepEqual(await get("/readyz"), {
    status: 503,
    body: { status: "not ready", reason: "Redis does not answer." },
  });
  redis.answer = () => Promise.resolve("Redis 6.2 is too old: version 7 or newer is needed.");
  assert.match(String((await get("/readyz")).body["reason"]), /too old/);
  redis.answer = () => Promise.resolve(undefined);
  assert.equal((await get("/readyz")).status, 200);
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ["warn", "error", "info"],
    "once per change",
  );
  const { probes } = redis;
  assert.equal((await get("/livez")).status, 200);
  assert.equal(redis.probes, probes);
});
