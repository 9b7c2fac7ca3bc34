import assert from "node:assert/strict";
import test from "node:test";
import { TIME } from "../../test/support/shapes.fake.ts";
import { toolContext } from "../../test/support/tool-context.ts";
import type { StoredFile } from "../ports/store.ts";
import { ToolError } from "../ports/tool.ts";
import { fileDelete } from "./file-delete.ts";

const file = (fileId: string, name: string): StoredFile => ({
  fileId,
  name,
  mediaType: "text/plain",
  size: 1,
  conversationId: "c",
  createdAt: TIME,
});

function folder(...names: string[]) {
  const rows = names.map((name, i) => file(`f${i}`, name));
  const deleted: string[] = [];
  const bytes: string[] = [];
  const scope = { tenantId: "tenant", userId: "user" };
  let broken = false;
  const context = toolContext({
    fileRows: {
      list: async (asked, conversationId) => {
        assert.deepEqual([asked, conversationId], [scope, "c"]);
        return rows.filter(({ fileId }) => !deleted.includes(fileId));
      },
      delete: async (asked, fileId) => {
        assert.deepEqual(asked, scope);
        deleted.push(fileId);
        return true;
      },
    },
    files: {
      delete: async (key) => {
        if (broken) throw new Error("disk");
        bytes.push(key);
      },
    },
  });
  return { context, deleted, bytes, breakDisk: () => (broken = true) };
}

test("a file is deleted by its name: its row, then its bytes", async () => {
  const { context, deleted, bytes } = folder("a.txt", "b.txt");
  assert.deepEqual(await fileDelete.run({ name: "b.txt" }, context), { deleted: "b.txt", files: 1 });
  assert.deepEqual([deleted, bytes], [["f1"], ["f1"]]);
});

test("all files of that name go", async () => {
  const { context, deleted } = folder("a.txt", "b.txt", "a.txt");
  assert.deepEqual(await fileDelete.run({ name: "a.txt" }, context), { deleted: "a.txt", files: 2 });
  assert.deepEqual(deleted, ["f0", "f2"]);
});

test("without such a file it says so, and what there is", async () => {
  const some = folder("a.txt", ...Array.from({ length: 12 }, (_, i) => `f${i}`));
  await assert.rejects(fileDelete.run({ name: "A.TXT" }, some.context), (error) => {
    assert.ok(error instanceof ToolError);
    assert.match(
      error.message,
      /^There is no file "A\.TXT" in this conversation\. It has "a\.txt", "f0", .* and more\.$/,
    );
    return true;
  });
  await assert.rejects(fileDelete.run({ name: "x" }, folder().context), /It has no files\.$/);
  assert.deepEqual(some.deleted, []);
});

test("bytes that can't be deleted are left to the sweeper", async () => {
  const { context, deleted, breakDisk } = folder("a.txt");
  breakDisk();
  assert.deepEqual(await fileDelete.run({ name: "a.txt" }, context), { deleted: "a.txt", files: 1 });
  assert.deepEqual(deleted, ["f0"]);
  assert.equal(context.logger.lines[0]?.level, "warn");
});

test("[R5] an interrupted call took effect when no file of that name is left", async () => {
  const { context } = folder("a.txt", "b.txt");
  assert.deepEqual(await fileDelete.reconcile?.({ name: "a.txt" }, context), { state: "not-done" });
  await fileDelete.run({ name: "a.txt" }, context);
  assert.deepEqual(await fileDelete.reconcile?.({ name: "a.txt" }, context), {
    state: "done",
    result: { deleted: "a.txt" },
  });
});

test("a person is asked, and told the consequence", () => {
  assert.equal(fileDelete.approval, "ask");
  assert.equal(fileDelete.effect, "unsafe");
  assert.match(fileDelete.summary({ name: "a.txt" }), /"a\.txt".*for good/);
});
