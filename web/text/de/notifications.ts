import type { notifications as en } from "../en/notifications.ts";

export const notifications: typeof en = {
  finished: "Die Antwort ist fertig.",
  failed: "Die Antwort ist fehlgeschlagen.",
  decision: "Deine Entscheidung ist gefragt.",
  untitled: "Eine Unterhaltung",
};
