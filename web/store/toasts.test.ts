import assert from "node:assert/strict";
import { test } from "node:test";
import { Toasts } from "./toasts.ts";

test("a toast goes after 8 s, unless somebody is at it; a newer one takes its place and its time", ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const toasts = new Toasts();
  toasts.show("One");
  mock.timers.tick(7_999);
  assert.equal(toasts.current.value?.text, "One");
  toasts.hold();
  mock.timers.tick(60_000);
  toasts.resume();
  mock.timers.tick(7_000);
  toasts.show("Two", { focus: true });
  mock.timers.tick(7_000);
  assert.deepEqual([toasts.current.value?.text, toasts.current.value?.focus], ["Two", true]);
  mock.timers.tick(1_000);
  assert.equal(toasts.current.value, undefined);
  toasts.resume();
  mock.timers.tick(60_000);
  assert.equal(toasts.current.value, undefined);
});
