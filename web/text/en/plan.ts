import { number } from "../locale.ts";

export const plan = {
  plan: "Plan",
  done: (done: number, count: number) => `${number(done)} of ${number(count)} done`,
  states: { pending: "To do", running: "Now", completed: "Done", left: "Not finished" },
};
