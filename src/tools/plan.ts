/** The checklist of an answer. */
import { z } from "zod";
import { text } from "../protocol/shapes.ts";
import { defineTransactionalTool } from "./define.ts";

const MAX_TASKS = 20;

export const plan = defineTransactionalTool({
  name: "plan",
  description:
    "Shows the person what this answer sets out to do, as a checklist. Call it before work of three or more steps, and " +
    "again with all tasks whenever the status of one changes. The order of the tasks stays the same; at most one runs.",
  effect: "transactional",
  approval: "never",
  schema: z.strictObject({
    tasks: z
      .array(
        z.strictObject({
          title: text(200).refine((title) => title.trim() !== "", { error: "not blank" }),
          status: z.enum(["pending", "running", "completed"]),
        }),
      )
      .min(1)
      .max(MAX_TASKS),
  }),
  summary: ({ tasks }) => `Show a plan of ${tasks.length} tasks.`,
  timeoutMs: 10_000,
  async run({ tasks }, tx) {
    // A task is known by its place.
    await tx.setPlan(tasks.map((task, i) => ({ id: String(i + 1), ...task })));
    const completed = tasks.filter(({ status }) => status === "completed").length;
    return { tasks: tasks.length, completed };
  },
});
