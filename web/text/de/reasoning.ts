import type { reasoning as en } from "../en/reasoning.ts";

export const reasoning: typeof en = {
  thinking: "Denkt nach…",
  thought: "Nachgedacht",
  thoughtFor: (duration) => `${duration} nachgedacht`,
};
