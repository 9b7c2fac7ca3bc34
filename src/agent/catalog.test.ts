import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModelProvider } from "../ports/model.ts";
import { createModelCatalog } from "./catalog.ts";

const provider = (name: string, models: Record<string, boolean>, passesThrough = false): ModelProvider => ({
  name,
  list: () =>
    Object.entries(models).map(([id, available]) => ({
      id,
      provider: name,
      name: id,
      available,
      ...(id === "demo" ? { demo: true } : {}),
    })),
  passesThrough,
  stream: () => Promise.reject(new Error("not asked for")),
  close() {},
});

const demo = provider("demo", { demo: true });
const off = provider("off", { "off/a": false }, true);
const one = provider("one", { "one/a": true, "one/b": true });
const two = provider("two", { "one/a": true, "two/c": true }, true);

test("the first provider that lists a model as available serves it", () => {
  const catalog = createModelCatalog([off, one, two, demo]);
  assert.equal(catalog.provider("one/a"), one);
  assert.equal(catalog.provider("demo"), demo);
  assert.deepEqual(
    catalog.list().map((info) => info.id),
    ["off/a", "one/a", "one/b", "one/a", "two/c", "demo"],
  );
  for (const unknown of ["off/a", "one/c", "", "two", "two/", "demo/x"]) {
    assert.throws(() => catalog.provider(unknown), { code: "MODEL_UNAVAILABLE" }, unknown);
    assert.throws(() => catalog.chain(unknown), { code: "MODEL_UNAVAILABLE" }, unknown);
  }
});

test("an id that nobody lists goes to the provider of its first segment, if that passes ids through", () => {
  const catalog = createModelCatalog([off, one, two]);
  assert.equal(catalog.provider("two/brand-new"), two);
  assert.equal(catalog.provider("two/with/slashes:8b"), two);
});

test("the default is the asked one, else the first real model, else the demo", () => {
  assert.equal(createModelCatalog([demo, off, one]).defaultModel, "one/a");
  assert.equal(createModelCatalog([demo, off]).defaultModel, "demo");
  assert.equal(createModelCatalog([demo, one], { defaultModel: "one/b" }).defaultModel, "one/b");
  assert.equal(createModelCatalog([one, two], { defaultModel: "two/new" }).defaultModel, "two/new");
});

test("the default follows a server that tells its models later, and is never one that was only found", () => {
  let models: Record<string, boolean> = {};
  const late: ModelProvider = { ...provider("late", {}), list: () => provider("late", models).list() };
  const found: ModelProvider = { ...provider("found", { "found/x": true }), found: true };
  const catalog = createModelCatalog([found, late, demo]);
  assert.equal(catalog.defaultModel, "demo");
  models = { "late/y": true };
  assert.equal(catalog.defaultModel, "late/y");
  models = {};
  assert.equal(catalog.defaultModel, "demo");
  assert.equal(catalog.provider("found/x"), found);
});

test("a default or a fallback that can't be used refuses the start and says what there is", () => {
  const refused = (defaultModel: string | undefined, fallbackModels: string[] = []) => {
    assert.throws(() => createModelCatalog([off, one], { defaultModel, fallbackModels }), {
      name: "StartError",
      message: /not available.* There is: one\/a, one\/b\.$/,
    });
  };
  refused("one/c");
  refused("off/a");
  refused(undefined, ["one/b", "openai/x"]);
  assert.throws(() => createModelCatalog([off]), { name: "StartError", message: "No model is available." });
});

test("[R9] a chain is the model, then the fallbacks in their order, each once", () => {
  const catalog = createModelCatalog([one, two, demo], { fallbackModels: ["two/c", "one/a", "two/c", "demo"] });
  const chain = (model: string) => catalog.chain(model).map((link) => `${link.provider.name}:${link.model}`);
  assert.deepEqual(chain("one/b"), ["one:one/b", "two:two/c", "one:one/a", "demo:demo"]);
  assert.deepEqual(chain("two/c"), ["two:two/c", "one:one/a", "demo:demo"]);
  assert.deepEqual(new Set(catalog.chain("demo").map((link) => link.keyId)), new Set(["server"]));
});

test("[R9] a fallback that has gone since the start is left out of the chain", () => {
  let there = true;
  const found: ModelProvider = { ...provider("found", {}), list: () => (there ? [info] : []) };
  const info = { id: "found/x", provider: "found", name: "x", available: true };
  const catalog = createModelCatalog([one, found], { fallbackModels: ["found/x"] });
  assert.equal(catalog.chain("one/a").length, 2);
  there = false;
  assert.equal(catalog.chain("one/a").length, 1);
});
