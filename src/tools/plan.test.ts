import assert from "node:assert/strict";
import test from "node:test";
import { toolTransaction } from "../../test/support/tool-context.ts";
import { plan } from "./plan.ts";
import { createToolCatalog } from "./registry.ts";

const task = (title: string, status = "pending") => ({ title, status });

test("a plan is set as a whole, each time; a task is known by its place", async () => {
  const { tx, plans } = toolTransaction();
  assert.deepEqual(await plan.run({ tasks: [task("Shop", "running"), task("Cook"), task("Eat")] }, tx), {
    tasks: 3,
    completed: 0,
  });
  assert.deepEqual(await plan.run({ tasks: [task("Shop", "completed"), task("Cook", "running"), task("Eat")] }, tx), {
    tasks: 3,
    completed: 1,
  });
  assert.deepEqual(plans[1], [
    { id: "1", title: "Shop", status: "completed" },
    { id: "2", title: "Cook", status: "running" },
    { id: "3", title: "Eat", status: "pending" },
  ]);
});

test("a plan has 1 to 20 tasks, each with a title and a known status", () => {
  const catalog = createToolCatalog([plan]);
  for (const tasks of [[], Array(21).fill(task("T")), [task(" ")], [task("T", "begun")], [task("x".repeat(201))]]) {
    assert.ok(catalog.refusal("plan", { tasks }));
  }
  assert.equal(catalog.refusal("plan", { tasks: Array(20).fill(task("T")) }), undefined);
});
