import assert from "node:assert/strict";
import { test } from "node:test";
import { cookieValue, isHttps, SECURITY_HEADERS, sessionCookie } from "./http-headers.ts";

test("the session's cookie is out of reach for scripts and other sites", () => {
  assert.equal(
    sessionCookie("abc", 86_400, true),
    "parley_session=abc; Path=/; Max-Age=86400; HttpOnly; SameSite=Strict; Secure",
  );
  assert.equal(sessionCookie("", 0, false), "parley_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
  assert.match(sessionCookie("a", 1.9, false), /Max-Age=1;/);
  assert.match(sessionCookie("a", -5, false), /Max-Age=0;/);
});

const cookies: readonly (readonly [header: string, expected: string | undefined])[] = [
  ["parley_session=abc", "abc"],
  ["a=1; parley_session=abc; b=2", "abc"],
  ["a=1;parley_session=abc", "abc"],
  ["parley_session=abc=def; x=y", "abc=def"],
  ["parley_session=one; parley_session=two", "one"],
  ["xparley_session=abc", undefined],
  ["parley_session2=abc", undefined],
  ["parley_session", undefined],
  ["parley_session=", undefined],
  ["a=parley_session=abc", undefined],
  ["", undefined],
  [";;; ;", undefined],
];
for (const [header, expected] of cookies) {
  test(`the cookie of ${JSON.stringify(header)}`, () => assert.equal(cookieValue(header, "parley_session"), expected));
}

test("https is the nearest proxy's word, if there is a trusted one", () => {
  const headers = (value?: string) => new Map(value === undefined ? [] : [["x-forwarded-proto", value]]);
  assert.equal(isHttps(headers("https"), true), true);
  assert.equal(isHttps(headers("http, HTTPS"), true), true);
  assert.equal(isHttps(headers("https, http"), true), false);
  assert.equal(isHttps(headers(), true), false);
  assert.equal(isHttps(headers("https"), false), false);
});

test("the content security policy allows nothing inline, nothing foreign, and no framing", () => {
  const policy = new Map(
    (SECURITY_HEADERS["content-security-policy"] ?? "").split("; ").map((directive) => {
      const [name = "", ...values] = directive.split(" ");
      return [name, values.join(" ")] as const;
    }),
  );
  assert.equal(policy.get("default-src"), "'none'");
  assert.equal(policy.get("script-src"), "'self'");
  assert.equal(policy.get("frame-ancestors"), "'none'");
  assert.equal(policy.get("require-trusted-types-for"), "'script'");
  assert.ok(![...policy.values()].some((value) => /unsafe|\*|https?:/.test(value)));
});
