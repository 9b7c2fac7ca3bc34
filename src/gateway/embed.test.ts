import assert from "node:assert/strict";
import { test } from "node:test";
import { httpRequest } from "../../test/support/http-request.ts";
import { embedRoute } from "./embed.ts";
import { originPolicy } from "./origin.ts";

const route = embedRoute(originPolicy({ boundTo: "0.0.0.0", allowedOrigins: ["https://shop.example"] }));

for (const [origin, allowed] of [
  ["https://shop.example", true],
  ["https://chat.example", true],
  ["https://evil.example", false],
  ["null", false],
] as const) {
  test(`a page of ${origin} is told that it is ${allowed ? "" : "not "}allowed`, async () => {
    const answer = await route.handle(httpRequest("/embed/origin", { origin, host: "chat.example" }));
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(String(answer.body)), { allowed });
    assert.equal(answer.headers["access-control-allow-origin"], "*");
    assert.equal(answer.headers["vary"], "origin");
    assert.equal(answer.headers["cache-control"], "no-store");
  });
}
