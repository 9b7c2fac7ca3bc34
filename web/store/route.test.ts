import assert from "node:assert/strict";
import { test } from "node:test";
import { loginCode, parseRoute, pathOf, type Route } from "./route.ts";

const home: Route = { kind: "home" };
const conversation = (id: string): Route => ({ kind: "conversation", id });

const paths: readonly [string, Route][] = [
  ["/", home],
  ["/c/0192f0c1-7b1e-7cc3-98c4-dc0c0c07398f", conversation("0192f0c1-7b1e-7cc3-98c4-dc0c0c07398f")],
  ["/c/abc/", conversation("abc")],
  ["/c/", home],
  ["/c/a/b", home],
  ["/c/..%2f", home],
  [`/c/${"x".repeat(65)}`, home],
  ["/index.html", home],
];

for (const [path, route] of paths) {
  test(`${path} is ${route.kind}`, () => {
    assert.deepEqual(parseRoute(path), route);
    assert.deepEqual(parseRoute(pathOf(route)), route);
  });
}

test("[W2] the code of a login link, and nothing that only looks like one", () => {
  assert.equal(loginCode("#login=Abc-12_x"), "Abc-12_x");
  for (const hash of ["", "#", "#login=", "#login=a b", "#login=a&x=1", "#x=login=a", "login=a"]) {
    assert.equal(loginCode(hash), undefined);
  }
});

test("a link's token stands in the fragment, and only a whole one opens something", () => {
  const token = "Abc-12_x".padEnd(43, "y");
  const shared: Route = { kind: "shared", token };
  assert.deepEqual(parseRoute("/s", `#${token}`), shared);
  assert.deepEqual(parseRoute("/s/", `#${token}`), shared);
  assert.equal(pathOf(shared), `/s#${token}`);
  for (const [path, hash] of [
    ["/s", ""],
    ["/s", `#${token}z`],
    ["/s", `#${token.slice(1)}`],
    ["/s/x", `#${token}`],
    ["/", `#${token}`],
  ] as const) {
    assert.deepEqual(parseRoute(path, hash), home);
  }
  assert.deepEqual(parseRoute("/c/abc", `#${token}`), conversation("abc"));
});

test("a message of a conversation stands in the fragment; what was looked for stands nowhere", () => {
  const there: Route = { kind: "conversation", id: "abc", messageId: "0192f0c1-7b1e-7cc3-98c4-dc0c0c07398f" };
  assert.equal(pathOf({ ...there, words: "otters" }), "/c/abc#0192f0c1-7b1e-7cc3-98c4-dc0c0c07398f");
  assert.deepEqual(parseRoute("/c/abc", "#0192f0c1-7b1e-7cc3-98c4-dc0c0c07398f"), there);
  for (const hash of ["", "#", "#main", "#a b c d e f g h", `#${"x".repeat(65)}`])
    assert.deepEqual(parseRoute("/c/abc", hash), conversation("abc"));
});
