/** What every `LoginLimiter` does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoginLimiter } from "../../src/ports/login-limiter.ts";
import { until } from "../support/until.ts";

/** `make` answers nodes that count together, with 3 refusals allowed in a second. */
export function loginLimiterContract(name: string, make: () => readonly [LoginLimiter, LoginLimiter]): void {
  test(`${name}: refusals on any node slow an address down on all, and no other address`, async () => {
    const [a, b] = make();
    for (let i = 0; i < 50; i++) assert.equal(await a.wait("192.0.2.1"), 0, "asking costs nothing");
    a.failed("192.0.2.1");
    b.failed("192.0.2.1");
    a.failed("2001:db8::1");
    assert.equal(await a.wait("192.0.2.1"), 0);
    b.failed("192.0.2.1");
    for (const node of [a, b]) {
      await until(async () => (await node.wait("192.0.2.1")) > 0, "the refusals to count");
      assert.ok((await node.wait("192.0.2.1")) <= 1_000);
      assert.equal(await node.wait("2001:db8::1"), 0);
    }
  });

  test(`${name}: waiting as told is enough, and refusals beyond the limit are no error`, async () => {
    const [a, b] = make();
    for (let i = 0; i < 10; i++) a.failed("192.0.2.1");
    await until(async () => (await b.wait("192.0.2.1")) > 0, "the refusals to count");
    await sleep(await b.wait("192.0.2.1"));
    await until(async () => (await b.wait("192.0.2.1")) === 0, "the end of the window", 100);
  });
}
