import assert from "node:assert/strict";
import test from "node:test";
import { TIME } from "../../test/support/shapes.fake.ts";
import { toolContext, toolTransaction } from "../../test/support/tool-context.ts";
import { memoryForget, memorySave, memorySearch } from "./memory.ts";
import { createToolCatalog } from "./registry.ts";

const catalog = createToolCatalog([memorySave, memoryForget, memorySearch]);

test("a memory is saved in the transaction of the journal", async () => {
  const { tx, saved } = toolTransaction();
  const parsed = catalog.parse(memorySave, { text: " I like\u0007tea.\n" });
  assert.ok(parsed.ok);
  assert.deepEqual(await memorySave.run(parsed.args, tx), { saved: "I like tea." });
  assert.deepEqual(saved, ["I like tea."]);
});

test("a text that was taken once is taken again as it is", () => {
  const first = catalog.parse(memorySave, { text: "\u0007 a\u0001\n" });
  assert.ok(first.ok);
  assert.deepEqual(catalog.parse(memorySave, first.args), first);
});

test("memories are forgotten by their words", async () => {
  const { tx, forgotten } = toolTransaction();
  assert.deepEqual(await memoryForget.run({ words: "tea" }, tx), { words: "tea", forgotten: 2 });
  assert.deepEqual(forgotten, ["tea"]);
});

test("memories are searched as the run's author", async () => {
  const asked: unknown[] = [];
  const context = toolContext({
    memories: {
      search: async (...input) => {
        asked.push(input);
        return [{ id: "m1", text: "I like tea.", createdAt: TIME }];
      },
    },
  });
  const parsed = catalog.parse(memorySearch, { words: "tea" });
  assert.ok(parsed.ok);
  assert.deepEqual(await memorySearch.run(parsed.args, context), {
    memories: [{ text: "I like tea.", savedAt: TIME }],
  });
  await memorySearch.run({ limit: 3 }, context);
  assert.deepEqual(asked, [
    [{ tenantId: "tenant", userId: "user" }, "tea", 8],
    [{ tenantId: "tenant", userId: "user" }, "", 3],
  ]);
});

test("blank and endless texts are refused", () => {
  for (const [tool, args] of [
    ["memory_save", { text: " " }],
    ["memory_save", { text: "\u0007" }],
    ["memory_save", { text: "x".repeat(2_001) }],
    ["memory_save", {}],
    ["memory_forget", { words: "" }],
    ["memory_search", { limit: 21 }],
  ] as const) {
    assert.ok(catalog.refusal(tool, args));
  }
});
