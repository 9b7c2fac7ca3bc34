import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelProvider } from "../ports/model.ts";
import { createModelCatalog } from "./catalog.ts";

const provider = (name: string, models: Record<string, boolean>): ModelProvider => ({
  name,
  list: () => Object.entries(models).map(([id, available]) => ({ id, provider: name, name: id, available })),
  stream: () => Promise.reject(new Error("not asked for")),
  close() {},
});

const off = provider("off", { "off/a": false });
const one = provider("one", { "one/a": true, "one/b": true });
const two = provider("two", { "one/a": true, demo: true });

test("the first provider that lists a model as available serves it", () => {
  const catalog = createModelCatalog([off, one, two]);
  assert.equal(catalog.provider("one/a"), one);
  assert.equal(catalog.provider("demo"), two);
  assert.deepEqual(
    catalog.list().map((info) => info.id),
    ["off/a", "one/a", "one/b", "one/a", "demo"],
  );
  for (const unknown of ["off/a", "one/c", "", "two"]) {
    assert.throws(() => catalog.provider(unknown), { code: "MODEL_UNAVAILABLE" });
  }
});

test("the default is the asked one, or the first available", () => {
  assert.equal(createModelCatalog([off, one]).defaultModel, "one/a");
  assert.equal(createModelCatalog([off, one], "one/b").defaultModel, "one/b");
  assert.throws(() => createModelCatalog([off, one], "one/c"), /"one\/c" is not available/);
  assert.throws(() => createModelCatalog([off, one], "off/a"), /not available/);
  assert.throws(() => createModelCatalog([off]), /No model/);
});
