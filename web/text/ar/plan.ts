import type { plan as en } from "../en/plan.ts";
import { number } from "../locale.ts";

export const plan: typeof en = {
  plan: "الخطة",
  done: (done, count) => `أُنجز ${number(done)} من ${number(count)}`,
  states: { pending: "لم يبدأ", running: "الآن", completed: "أُنجز", left: "لم يكتمل" },
};
