/** What every `LoginCodeStore` does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LoginCodeStore } from "../../src/ports/login-codes.ts";
import { until } from "../support/until.ts";

/** `make` answers two nodes that share their codes. */
export function loginCodesContract(name: string, make: () => readonly [LoginCodeStore, LoginCodeStore]): void {
  test(`[W2] ${name}: a code of one node is taken on any, once`, async () => {
    const [a, b] = make();
    await a.put("one", 60_000);
    assert.equal(await b.take("two"), false);
    const taken = await Promise.all([a.take("one"), b.take("one"), a.take("one")]);
    assert.deepEqual(taken.filter(Boolean), [true]);
    assert.equal(await b.take("one"), false);
  });

  test(`[W2] ${name}: a code ends with its time, and may be put again`, async () => {
    const [a, b] = make();
    await a.put("short", 1);
    await a.put("long", 60_000);
    await until(async () => !(await b.take("short")), "the end of the code");
    await b.put("short", 60_000);
    assert.equal(await a.take("short"), true);
    assert.equal(await b.take("long"), true);
  });
}
