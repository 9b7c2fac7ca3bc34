/** A plan of the demo model: made once, then done task by task, each shown by another call of the plan tool. */
import { z } from "zod";
import type { ToolArgs } from "../protocol/shapes.ts";

const task = z.object({ title: z.string(), status: z.enum(["pending", "running", "completed"]) });
const tasks = z.object({ tasks: z.array(task).min(1) });
export type Task = z.infer<typeof task>;

/** As many as the plan tool takes. */
const MAX_TASKS = 20;
/** UTF-16 units of a title, as the plan tool has it. */
const MAX_TITLE = 200;

const STEPS: readonly (readonly [title: (thing: string) => string, doing: string])[] = [
  [(thing) => `Say what ${thing} is for`, "One sentence that everybody would sign."],
  [(thing) => `List what ${thing} needs`, "People, time, money and things: what is there, and what is missing."],
  [(thing) => `Put it in an order for ${thing}`, "First what others wait for, last what can wait."],
  [(thing) => `Check the plan for ${thing}`, "Read it with fresh eyes: what is missing goes to the top."],
];
const ADDED = "Taken up, as you asked.";

const title = (text: string): string =>
  text.length <= MAX_TITLE ? text : `${text.slice(0, MAX_TITLE - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;

/** Its first task runs. */
export const newPlan = (thing: string): Task[] =>
  STEPS.map(([name], i) => ({ title: title(name(thing)), status: i === 0 ? "running" : "pending" }));

/** From the arguments of a call of the plan tool; undefined when they are none. */
export function planOf(args: ToolArgs): readonly Task[] | undefined {
  const parsed = tasks.safeParse(args);
  return parsed.success ? parsed.data.tasks : undefined;
}

/** Index of the task to do now; -1: all are done. */
export const taskToDo = (plan: readonly Task[]): number => plan.findIndex(({ status }) => status !== "completed");

/** What is said about doing it. */
export function doing(plan: readonly Task[], index: number): string {
  const said = STEPS[index]?.[1];
  return `${index + 1}. **${plan[index]?.title ?? ""}**: ${said ?? ADDED}`;
}

/** The plan when that task is done: the next one runs. */
export const afterTask = (plan: readonly Task[], index: number): Task[] =>
  plan.map((before, i) => {
    if (i <= index) return { ...before, status: "completed" };
    return i === index + 1 ? { ...before, status: "running" } : before;
  });

/** With what came up while it was done. */
export const withTasks = (plan: readonly Task[], titles: readonly string[]): Task[] =>
  [...plan, ...titles.map((text): Task => ({ title: title(text), status: "pending" }))].slice(0, MAX_TASKS);
