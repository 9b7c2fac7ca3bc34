import type { trash as en } from "../en/trash.ts";

export const trash: typeof en = {
  title: "Kürzlich gelöscht",
  hint: "Was du löschst, bleibt 7 Tage hier. Danach wird es endgültig entfernt.",
  none: "Es gibt nichts wiederherzustellen.",
  restore: "Wiederherstellen",
  restoreOne: (title) => `${title} wiederherstellen`,
  removed: (when) => `Wird ${when} entfernt`,
  purgeOne: (title) => `${title} endgültig löschen`,
  purged: "Die Unterhaltung ist endgültig gelöscht.",
  restored: "Die Unterhaltung ist wieder in der Liste.",
  open: "Öffnen",
};
