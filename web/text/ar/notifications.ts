import type { notifications as en } from "../en/notifications.ts";

export const notifications: typeof en = {
  finished: "اكتملت الإجابة.",
  failed: "فشلت الإجابة.",
  decision: "قرارك مطلوب.",
  untitled: "محادثة",
};
