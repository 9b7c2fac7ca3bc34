import assert from "node:assert/strict";
import test from "node:test";
import { createBuiltinTools } from "./builtin.ts";
import { createToolCatalog } from "./registry.ts";

test("the built-in tools are declared as they should be", () => {
  const catalog = createToolCatalog(createBuiltinTools());
  assert.deepEqual(
    catalog.list().map(({ name, effect, approval }) => `${name} ${effect} ${approval}`),
    [
      "clock read never",
      "calculator read never",
      "memory_save transactional never",
      "memory_search read never",
      "memory_forget transactional never",
      "plan transactional never",
      "research read never",
      "file_delete unsafe ask",
    ],
  );
});

test("every argument of theirs is told to the model in JSON Schema that any provider reads", () => {
  for (const { name, parameters } of createToolCatalog(createBuiltinTools()).specs()) {
    assert.equal(parameters["type"], "object", name);
    assert.equal(parameters["additionalProperties"], false, name);
    assert.doesNotMatch(JSON.stringify(parameters), /"\$ref"|"anyOf"|"\$schema"/, name);
  }
});
