import assert from "node:assert/strict";
import { test } from "node:test";
import { ar } from "./ar/index.ts";
import { de } from "./de/index.ts";
import { en } from "./en/index.ts";
import { localeOf, number, plural, tagOf } from "./locale.ts";
import { speak, type Text, text } from "./text.ts";

/** Where a string or a function stands, and which. */
function* leaves(value: unknown, path = ""): Generator<readonly [path: string, leaf: unknown]> {
  if (typeof value !== "object" || value === null) yield [path, value];
  else for (const [key, inner] of Object.entries(value)) yield* leaves(inner, path === "" ? key : `${path}.${key}`);
}

const English = new Map(leaves(en));

for (const [locale, words] of Object.entries({ en, de, ar })) {
  test(`${locale} has every string, none is empty, and each takes what the English one takes`, () => {
    const found = new Map(leaves(words));
    assert.deepEqual([...found.keys()].toSorted(), [...English.keys()].toSorted());
    for (const [path, leaf] of found) {
      if (typeof leaf === "function")
        assert.ok(leaf.length <= Number((English.get(path) as () => string).length), path);
      else assert.ok(typeof leaf === "string" && leaf.trim() !== "", path);
    }
  });
}

/** Names that are the same everywhere. */
const NAMES = /^(?:Parley|OK|JSON|Markdown|PDF|Ctrl|Shift|Enter|Esc|[↑↓])$/;

test("Arabic is no English that was left", () => {
  for (const [path, leaf] of leaves(ar)) {
    if (typeof leaf === "string" && /\p{L}/u.test(leaf) && !NAMES.test(leaf))
      assert.notEqual(leaf, English.get(path), path);
  }
});

test("the first language of the reader's that is spoken here, in their region's manner", () => {
  assert.equal(localeOf(["fr-FR", "de-CH", "en"]), "de");
  assert.equal(localeOf(["fr"]), "en");
  assert.equal(localeOf([]), "en");
  assert.equal(localeOf(["AR-eg"]), "ar");
  assert.equal(tagOf("en", ["de-DE", "en-GB"]), "en-GB");
  assert.equal(tagOf("en", ["fr-FR"]), "en");
  assert.equal(tagOf("ar", ["ar-EG"]), "ar-EG-u-nu-latn");
});

test("counts take the form their language has for them", () => {
  const forms = { zero: "لا شيء", one: "واحد", two: "اثنان", few: "# قليلة", many: "# كثيرة", other: "# غير ذلك" };
  assert.deepEqual(
    [0, 1, 2, 3, 11, 100].map((count) => plural("ar", count, forms)),
    ["لا شيء", "واحد", "اثنان", "3 قليلة", "11 كثيرة", "100 غير ذلك"],
  );
  assert.equal(plural("en", 1, { one: "# token", other: "# tokens" }), "1 token");
  assert.equal(plural("en", 1234, { one: "# token", other: "# tokens" }), "1,234 tokens");
});

test("what is spoken is read at once, and numbers follow", () => {
  try {
    speak("de", de, ["de-AT"]);
    assert.equal(text(), de satisfies Text);
    assert.equal(number(1_234_567.5), "1\u00a0234\u00a0567,5");
    speak("de", de);
    assert.equal(number(1_234.5), "1.234,5");
  } finally {
    speak("en", en);
  }
});
