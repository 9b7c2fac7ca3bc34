import assert from "node:assert/strict";
import { test } from "node:test";
import { isMac, isPressed, keysText } from "./keys.ts";

const pressed = (fields: Partial<Parameters<typeof isPressed>[1]>) => ({
  key: "",
  code: "",
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...fields,
});
const K = { key: "k", command: true } as const;
const O = { key: "o", command: true, shift: true } as const;

test("a command's key is Ctrl, on a Mac ⌘, and never both or with Alt", () => {
  assert.ok(isPressed(K, pressed({ key: "k", ctrlKey: true }), false));
  assert.ok(!isPressed(K, pressed({ key: "k", ctrlKey: true }), true));
  assert.ok(isPressed(K, pressed({ key: "k", metaKey: true }), true));
  assert.ok(!isPressed(K, pressed({ key: "k", metaKey: true, ctrlKey: true }), true));
  assert.ok(!isPressed(K, pressed({ key: "k", ctrlKey: true, altKey: true }), false));
  assert.ok(!isPressed(K, pressed({ key: "K", ctrlKey: true, shiftKey: true }), false));
  assert.ok(isPressed(O, pressed({ key: "O", ctrlKey: true, shiftKey: true }), false));
  assert.ok(!isPressed(K, pressed({ key: "k" }), false));
});

test("letters are found on other layouts, and characters wherever Shift has them", () => {
  assert.ok(isPressed(K, pressed({ key: "ن", code: "KeyK", ctrlKey: true }), false));
  const slash = { key: "/", command: true } as const;
  assert.ok(isPressed(slash, pressed({ key: "/", code: "Digit7", shiftKey: true, ctrlKey: true }), false));
  assert.ok(isPressed({ key: "?" }, pressed({ key: "?", shiftKey: true }), false));
  assert.ok(!isPressed({ key: "?" }, pressed({ key: "?", ctrlKey: true }), false));
});

test("keys are named as their platform does", () => {
  const names = { control: "Strg", shift: "Umschalt", enter: "Eingabe", escape: "Esc" };
  assert.equal(keysText(O, names, false), "Strg+Umschalt+O");
  assert.equal(keysText(O, names, true), "⇧⌘O");
  assert.equal(keysText({ key: "Enter" }, names, true), "↩");
  assert.equal(keysText({ key: "Escape" }, names, false), "Esc");
  assert.deepEqual(
    ["MacIntel", "iPhone", "Win32", "Linux x86_64"].map((platform) => isMac(platform)),
    [true, true, false, false],
  );
});
