import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..");

test("each test that docs/web.md names is there", () => {
  const sources = globSync("{test,src,web}/**/*.test.ts", { cwd: root })
    .map((file) => readFileSync(join(root, file), "utf8"))
    .join("\n");
  const rows = readFileSync(join(root, "docs/web.md"), "utf8").split("\n");
  const named = rows.flatMap((row) => {
    const [, , , tests = ""] = row.split(/(?<!\\)\|/);
    return [...tests.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name.split("…", 1)[0] ?? "");
  });
  assert.ok(named.length > 40, `${named.length} are named`);
  assert.deepEqual(
    named.filter((name) => !sources.includes(name)),
    [],
  );
});
