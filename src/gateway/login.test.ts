import assert from "node:assert/strict";
import test from "node:test";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { FakeSessionStore } from "../../test/support/sessions.fake.ts";
import type { HttpRequest, HttpResponse } from "../ports/http.ts";
import { noMetrics } from "../ports/metrics.ts";
import { SessionManager } from "../sessions/session-manager.ts";
import { cookieValue, SESSION_COOKIE } from "./http-headers.ts";
import { loginRoutes } from "./login.ts";
import { originPolicy } from "./origin.ts";

const ACCESS_TOKEN = "an-access-token-of-at-least-32-characters";

function setUp(trustProxy = false) {
  const store = new FakeSessionStore();
  const log = recordingLogger();
  const sessions = new SessionManager({
    store,
    log,
    lifetimeMs: 3_600_000,
    accessToken: ACCESS_TOKEN,
    requestRate: { perSecond: 1, burst: 1 },
    now: () => store.now,
  });
  const origins = originPolicy({ allowedOrigins: [], boundTo: "127.0.0.1" });
  const routes = loginRoutes({ sessions, metrics: noMetrics, log, origins, trustProxy });

  async function call(method: "POST" | "DELETE", body: unknown, headers: Record<string, string> = {}) {
    const route = routes.find((candidate) => candidate.method === method);
    assert.equal(route?.path, "/auth/session");
    const request: HttpRequest = {
      method,
      path: "/auth/session",
      query: "",
      headers: new Map(Object.entries({ host: "127.0.0.1:8765", "user-agent": "Browser 1", ...headers })),
      body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
      remoteAddress: "192.0.2.1",
      signal: new AbortController().signal,
    };
    return route.handle(request);
  }
  return { store, sessions, log, call };
}

const json = (response: HttpResponse) => JSON.parse(String(response.body)) as Record<string, unknown>;
const codeOf = (response: HttpResponse) => (json(response)["error"] as { code: string }).code;
const cookieOf = (response: HttpResponse) => response.headers["set-cookie"] ?? "";

test("[W2] a login code is posted for a cookie that a page can't read, and that resumes the session", async () => {
  const { sessions, store, call } = setUp();
  const response = await call("POST", { code: await sessions.createLoginCode() });
  assert.equal(response.status, 200);
  const row = store.rows[0];
  assert.ok(row);
  const { id, expiresAt, user, tenant, device } = row.session;
  assert.deepEqual(json(response), { user, tenant, session: { id, expiresAt } });
  assert.equal(device, "Browser 1");
  const cookie = cookieOf(response);
  assert.match(cookie, /; HttpOnly/);
  assert.match(cookie, /; SameSite=Strict/);
  assert.match(cookie, /; Path=\//);
  assert.doesNotMatch(cookie, /Secure|Domain/);
  const token = cookieValue(cookie.split(";")[0] ?? "", SESSION_COOKIE);
  assert.equal((await sessions.resume(token ?? "", "")).id, id);
  assert.ok(!String(response.body).includes(token ?? "?"));
});

test("the access token logs in too", async () => {
  const { call, store } = setUp();
  assert.equal((await call("POST", { token: ACCESS_TOKEN })).status, 200);
  assert.equal(store.rows[0]?.method, "access-token");
});

test("behind a trusted proxy that speaks TLS the cookie is Secure", async () => {
  const headers = { "x-forwarded-proto": "https" };
  assert.match(cookieOf(await setUp(true).call("POST", { token: ACCESS_TOKEN }, headers)), /; Secure/);
  assert.doesNotMatch(cookieOf(await setUp(false).call("POST", { token: ACCESS_TOKEN }, headers)), /; Secure/);
});

test("[W2] a used code, a wrong one and a wrong token are 401, and set no cookie", async () => {
  const { sessions, call } = setUp();
  const code = await sessions.createLoginCode();
  await call("POST", { code });
  for (const body of [{ code }, { code: "guess" }, { token: "guess" }]) {
    const response = await call("POST", body);
    assert.deepEqual([response.status, codeOf(response), cookieOf(response)], [401, "AUTH_FAILED", ""]);
  }
});

test("[W7] bad bodies are refused with what was expected", async () => {
  const { call } = setUp();
  for (const [body, status, code] of [
    ["{", 400, "PARSE_ERROR"],
    ["\u0000", 400, "PARSE_ERROR"],
    [{}, 422, "INVALID_PARAMS"],
    [[], 422, "INVALID_PARAMS"],
    [{ code: "a", token: "b" }, 422, "INVALID_PARAMS"],
    [{ code: 5 }, 422, "INVALID_PARAMS"],
  ] as const) {
    const response = await call("POST", body);
    assert.deepEqual([response.status, codeOf(response)], [status, code], JSON.stringify(body));
  }
});

test("too many refusals are 429 with Retry-After", async () => {
  const { call } = setUp();
  for (let i = 0; i < 20; i++) await call("POST", { token: "guess" });
  const response = await call("POST", { token: ACCESS_TOKEN });
  assert.equal(response.status, 429);
  assert.ok(Number(response.headers["retry-after"]) >= 1);
});

test("[W2] a store that can't be reached is 503, and the code is still good", async () => {
  const { store, sessions, call } = setUp();
  const code = await sessions.createLoginCode();
  store.unreachable = true;
  assert.equal((await call("POST", { code })).status, 503);
  store.unreachable = false;
  assert.equal((await call("POST", { code })).status, 200);
});

test("DELETE ends the session of the cookie and takes the cookie away; without one it just takes it away", async () => {
  const { sessions, call, store } = setUp();
  const { sessionToken } = await sessions.login(ACCESS_TOKEN, "", "");
  const cookie = `other=1; ${SESSION_COOKIE}=${sessionToken}`;
  for (const headers of [{ cookie }, { cookie }, {}]) {
    const response = await call("DELETE", "", headers);
    assert.equal(response.status, 200);
    assert.match(cookieOf(response), /^parley_session=; .*Max-Age=0/);
    assert.equal(store.rows.length, 0);
  }
});

test("[W2] a foreign page may neither log in nor out", async () => {
  const { call, sessions, store } = setUp();
  const { sessionToken } = await sessions.login(ACCESS_TOKEN, "", "");
  const headers = { origin: "https://evil.example", cookie: `${SESSION_COOKIE}=${sessionToken}` };
  for (const method of ["POST", "DELETE"] as const) {
    const response = await call(method, { token: ACCESS_TOKEN }, headers);
    assert.deepEqual([response.status, codeOf(response)], [403, "ORIGIN_REFUSED"]);
  }
  assert.equal(store.rows.length, 1);
});

test("[W7] a bug is 500 without its text, and in the log", async () => {
  const { call, store, log } = setUp();
  store.owner = () => Promise.reject(new Error("password=hunter2"));
  const response = await call("POST", { token: ACCESS_TOKEN });
  assert.deepEqual([response.status, codeOf(response)], [500, "INTERNAL"]);
  assert.ok(!String(response.body).includes("hunter2"));
  assert.equal(log.lines[0]?.level, "error");
});
