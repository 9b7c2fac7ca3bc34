import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { tempDir } from "../../test/support/temp-dir.ts";
import { METHODS } from "../protocol/methods.ts";
import { discoverHandlers } from "./discover.ts";
import { registerHandlers } from "./registry.ts";

const run = () => ({});
const complete = Object.keys(METHODS).map((method) => ({ method, permission: "user", run }));

const problemsOf = (found: Record<string, unknown>): string[] => {
  try {
    registerHandlers(new Map(Object.entries(found)));
  } catch (error) {
    assert.ok(error instanceof Error);
    const [title, ...problems] = error.message.split("\n");
    assert.equal(title, "The handlers can't be used:");
    return problems.map((problem) => problem.replace("  - ", ""));
  }
  return [];
};

test("every method has a handler with a permission and its schemas", () => {
  const registry = registerHandlers(new Map([["all.ts", complete]]));
  assert.deepEqual([...registry.keys()].toSorted(), Object.keys(METHODS).toSorted());
  assert.equal(registry.get("ping")?.params, METHODS.ping.params);
});

test("nothing is public by omission, and all problems come in one message", () => {
  const problems = problemsOf({
    "a.ts": [
      { method: "ping", run },
      { method: "nonsense", permission: "user", run },
    ],
    "b.ts": [...complete, { method: "login", permission: "everybody", run }, 5, { method: "ping", permission: "user" }],
    "c.ts": [{ method: "logout", permission: "user", run }],
    "d.ts": undefined,
  });
  assert.deepEqual(problems, [
    "a.ts: ping has no permission",
    "a.ts: nonsense is no method of src/protocol/methods.ts",
    "b.ts: login has no permission",
    "b.ts: an item of its default export is no handler; make it with defineHandler",
    "b.ts: an item of its default export is no handler; make it with defineHandler",
    "c.ts: logout has a handler in b.ts already",
    "d.ts: its default export is no array of handlers",
  ]);
});

test("a method without a handler is named", () => {
  assert.deepEqual(problemsOf({ "a.ts": complete.filter(({ method }) => method !== "chat.send") }), [
    "chat.send has no handler",
  ]);
});

test("the handlers of this repository are complete", async () => {
  const registry = await discoverHandlers(fileURLToPath(new URL("../../handlers", import.meta.url)));
  assert.equal(registry.size, Object.keys(METHODS).length);
  const open = [...registry.values()].filter(({ permission }) => permission === "public").map(({ method }) => method);
  assert.deepEqual(open.toSorted(), ["login", "ping", "request.cancel", "session.resume"]);
});

test("only handler files are loaded: no tests, types or source maps", async () => {
  const folder = tempDir();
  const all = `const run = () => ({});
    const methods = ${JSON.stringify(Object.keys(METHODS))};
    export default methods.map((method) => ({ method, permission: "user", run }));`;
  await writeFile(join(folder.path, "all.js"), all);
  for (const name of ["all.test.ts", "all.d.ts", "all.js.map", "README.md"]) {
    await writeFile(join(folder.path, name), "throw new Error('loaded')");
  }
  assert.equal((await discoverHandlers(folder.path)).size, Object.keys(METHODS).length);
  await folder.remove();
});
