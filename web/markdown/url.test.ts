import assert from "node:assert/strict";
import { test } from "node:test";
import { safeUrl } from "./url.ts";

const cases: readonly (readonly [string, string | undefined])[] = [
  ["https://example.com/a?b=c#d", "https://example.com/a?b=c#d"],
  ["HTTP://Example.com", "http://example.com/"],
  ["mailto:a@b.example", "mailto:a@b.example"],
  ["  https://example.com ", "https://example.com/"],
  ["javascript:alert(1)", undefined],
  ["JaVaScRiPt:alert(1)", undefined],
  ["java\tscript:alert(1)", undefined],
  ["\u0001javascript:alert(1)", undefined],
  ["java\nscript:alert(1)", undefined],
  ["data:text/html,<script>alert(1)</script>", undefined],
  ["vbscript:x", undefined],
  ["blob:https://example.com/1", undefined],
  ["file:///etc/passwd", undefined],
  ["filesystem:https://example.com/1", undefined],
  ["/auth/session", undefined],
  ["//example.com/x", undefined],
  ["#login=code", undefined],
  ["https://", undefined],
  ["", undefined],
];

for (const [href, expected] of cases) {
  test(`${JSON.stringify(href)} → ${String(expected)}`, () => assert.equal(safeUrl(href), expected));
}
