import type { usage as en } from "../en/usage.ts";

export const usage: typeof en = {
  thousand: " Tsd.",
  million: " Mio.",
  tokens: (_count, shown) => `${shown} Token`,
  read: "Gelesen",
  cached: "davon aus dem Cache",
  written: "Geschrieben",
  thinking: "davon Nachdenken",
  cost: "Kosten",
};
