import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HttpRequest } from "../ports/http.ts";
import { noMetrics } from "../ports/metrics.ts";
import { guardRoute, originPolicy, upgradeGuard } from "./origin.ts";

interface Case {
  readonly origin?: string;
  readonly host?: string;
  readonly accepted: boolean;
  readonly why: string;
}

function table(boundTo: string, allowedOrigins: readonly string[], cases: readonly Case[]): void {
  describe(`[PITFALLS 26] bound to ${boundTo}, allowed: ${allowedOrigins.join(" ") || "nothing"}`, () => {
    const policy = originPolicy({ boundTo, allowedOrigins });
    for (const { origin, host, accepted, why } of cases) {
      test(`${accepted ? "accepts" : "refuses"} ${why} (Origin ${origin}, Host ${host})`, () => {
        assert.equal(policy.check(origin, host)?.code, accepted ? undefined : "ORIGIN_REFUSED");
      });
    }
  });
}

table(
  "0.0.0.0",
  ["https://app.example", "http://localhost:5173"],
  [
    { host: "chat.example", accepted: true, why: "a program, which sends no Origin" },
    { origin: "", host: "chat.example", accepted: true, why: "an empty Origin" },
    { origin: "https://chat.example", host: "chat.example", accepted: true, why: "the own page" },
    { origin: "http://chat.example:8765", host: "chat.example:8765", accepted: true, why: "the own page on a port" },
    { origin: "https://chat.example", host: "chat.example:443", accepted: true, why: "a spelt out default port" },
    { origin: "https://CHAT.example", host: "chat.EXAMPLE", accepted: true, why: "names without regard to case" },
    { origin: "https://app.example", host: "chat.example", accepted: true, why: "an allowed origin" },
    { origin: "http://localhost:5173", host: "chat.example", accepted: true, why: "an allowed origin on a port" },
    { origin: "http://[::1]:8765", host: "[::1]:8765", accepted: true, why: "the own page by IPv6" },
    { origin: "https://evil.example", host: "chat.example", accepted: false, why: "another site" },
    { origin: "http://app.example", host: "chat.example", accepted: false, why: "an allowed host of another scheme" },
    { origin: "https://chat.example:8443", host: "chat.example", accepted: false, why: "another port" },
    { origin: "http://chat.example", host: "chat.example:443", accepted: false, why: "another scheme's default port" },
    { origin: "https://chat.example.evil.example", host: "chat.example", accepted: false, why: "a longer name" },
    { origin: "null", host: "chat.example", accepted: false, why: "a sandboxed page" },
    { origin: "null", host: "null", accepted: false, why: "a sandboxed page with a matching Host" },
    { origin: "https://chat.example", accepted: false, why: "a page without a Host to compare with" },
    { origin: "not an origin", host: "chat.example", accepted: false, why: "nonsense" },
    { origin: "https://chat.example@evil.example", host: "chat.example", accepted: false, why: "a user in the Origin" },
    { origin: "https://chat.example", host: "chat.example/x", accepted: false, why: "a path in the Host" },
  ],
);

table(
  "127.0.0.1",
  ["https://app.example"],
  [
    { host: "127.0.0.1:8765", accepted: true, why: "a program by address" },
    { host: "localhost:8765", accepted: true, why: "a program by name" },
    { host: "parley.localhost", accepted: true, why: "a name below localhost" },
    { host: "[::1]:8765", accepted: true, why: "the IPv6 loopback address" },
    { host: "127.9.9.9", accepted: true, why: "another loopback address" },
    { origin: "http://localhost:8765", host: "localhost:8765", accepted: true, why: "the own page" },
    { origin: "https://app.example", host: "localhost:8765", accepted: true, why: "an allowed origin" },
    {
      origin: "https://app.example",
      host: "app.example",
      accepted: true,
      why: "an allowed origin behind a local proxy",
    },
    { host: "evil.example:8765", accepted: false, why: "a name that was made to point here" },
    { origin: "http://evil.example:8765", host: "evil.example:8765", accepted: false, why: "DNS rebinding" },
    { origin: "http://127.0.0.1.evil.example", host: "127.0.0.1.evil.example", accepted: false, why: "a look-alike" },
    {
      origin: "http://localhost.evil.example",
      host: "localhost.evil.example",
      accepted: false,
      why: "a look-alike name",
    },
    { origin: "http://192.168.0.9", host: "192.168.0.9", accepted: false, why: "an address of the network" },
    {
      origin: "http://localhost:3000",
      host: "localhost:8765",
      accepted: false,
      why: "another program on this machine",
    },
    { origin: "http://127.0.0.1:8765", host: "localhost:8765", accepted: false, why: "another name of this machine" },
    { accepted: false, why: "no Host at all" },
    { host: "", accepted: false, why: "an empty Host" },
  ],
);

table(
  "localhost",
  [],
  [
    { host: "localhost:8765", accepted: true, why: "its name" },
    { host: "evil.example", accepted: false, why: "another name" },
  ],
);

test("a refused upgrade is a 403 with the error's JSON, and counted", () => {
  const refused: string[] = [];
  const metrics = { ...noMetrics, refused: (code: string) => refused.push(code) };
  const guard = upgradeGuard(originPolicy({ boundTo: "0.0.0.0", allowedOrigins: [] }), metrics);
  assert.equal(guard({ origin: undefined, host: "a", remoteAddress: "" }), undefined);
  const answer = guard({ origin: "https://evil.example", host: "a", remoteAddress: "" });
  assert.equal(answer?.status, 403);
  const { error } = JSON.parse(String(answer?.body)) as { error: Record<string, unknown> };
  assert.equal(error["code"], "ORIGIN_REFUSED");
  assert.equal(error["retryable"], false);
  assert.match(String(error["message"]), /PARLEY_ALLOWED_ORIGINS/);
  assert.deepEqual(refused, ["ORIGIN_REFUSED"]);
});

test("a guarded route runs for its own page only", async () => {
  let ran = 0;
  const answer = { status: 200, headers: {}, body: "" };
  const route = guardRoute(originPolicy({ boundTo: "0.0.0.0", allowedOrigins: [] }), {
    method: "POST",
    path: "/x",
    maxBody: 1,
    handle: () => {
      ran++;
      return answer;
    },
  });
  const request = (origin: string): HttpRequest => ({
    method: "POST",
    path: "/x",
    query: "",
    headers: new Map([
      ["origin", origin],
      ["host", "a"],
    ]),
    body: new Uint8Array(0),
    remoteAddress: "",
    signal: AbortSignal.abort(),
  });
  assert.equal((await route.handle(request("http://b"))).status, 403);
  assert.equal(ran, 0);
  assert.equal(await route.handle(request("http://a")), answer);
});
