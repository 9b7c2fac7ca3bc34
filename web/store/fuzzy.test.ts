import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fit, fitting } from "./fuzzy.ts";

const best = (typed: string, ...names: string[]) => fitting(names, typed, (name) => name);

test("letters in their order are found, without case and accents", () => {
  assert.deepEqual(best("nc", "Encode", "New conversation", "Theme"), ["New conversation", "Encode"]);
  assert.deepEqual(best("uber", "Umber", "Übersicht"), ["Übersicht", "Umber"]);
  assert.deepEqual(best("theme dark", "Theme: Dark", "Theme: Light"), ["Theme: Dark"]);
  assert.deepEqual(best("المظهر", "المظهر: داكن", "اللغة"), ["المظهر: داكن"]);
  assert.deepEqual(best("xyz", "Theme"), []);
  assert.deepEqual(best("  ", "b", "a"), ["b", "a"]);
});

test("what begins a word, follows, or is all of a name comes first", () => {
  assert.deepEqual(best("set", "Reset tests", "Settings", "Set"), ["Set", "Settings", "Reset tests"]);
  assert.deepEqual(best("aab", "xaxaab", "aab")[0], "aab");
});

test("a name fits each of its subsequences and no other text", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-c ]{1,12}$/), fc.array(fc.boolean(), { maxLength: 12 }), (name, kept) => {
      const typed = Array.from(name)
        .filter((_, i) => kept[i] === true)
        .join("");
      assert.notEqual(fit(name, typed), undefined);
      assert.equal(fit(name, `${typed}d`), undefined);
    }),
  );
});
