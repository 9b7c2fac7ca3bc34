import type { app as en } from "../en/app.ts";

export const app: typeof en = {
  noAnswerYet: "Der Server antwortet noch nicht. Neuer Versuch…",
  connecting: "Verbindung wird aufgebaut…",
  skip: "Zum Eingabefeld springen",
  sidebar: "Seitenleiste",
};
