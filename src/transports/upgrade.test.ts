import assert from "node:assert/strict";
import { test } from "node:test";
import { cookieOfUpgrade } from "./upgrade.ts";

const header = (name: string): string => (name === "cookie" ? "a=b; parley_session=secret" : "");

test("[W2] the cookie of an upgrade counts, unless the client brings a login of its own", () => {
  assert.equal(cookieOfUpgrade("", header), "secret");
  assert.equal(cookieOfUpgrade("auth=cookie", header), "secret");
  assert.equal(cookieOfUpgrade("auth=token", header), undefined);
  assert.equal(cookieOfUpgrade("x=1&auth=token", header), undefined);
  assert.equal(
    cookieOfUpgrade("", () => ""),
    undefined,
  );
});
