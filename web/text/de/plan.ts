import type { plan as en } from "../en/plan.ts";
import { number } from "../locale.ts";

export const plan: typeof en = {
  plan: "Plan",
  done: (done, count) => `${number(done)} von ${number(count)} erledigt`,
  states: { pending: "Offen", running: "Jetzt", completed: "Erledigt", left: "Nicht beendet" },
};
