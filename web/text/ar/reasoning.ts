import type { reasoning as en } from "../en/reasoning.ts";

export const reasoning: typeof en = {
  thinking: "يفكّر…",
  thought: "فكّر",
  thoughtFor: (duration) => `فكّر لمدة ${duration}`,
};
