import type { code as en } from "../en/code.ts";

export const code: typeof en = {
  code: "Code",
  codeIn: (language) => `${language}-Code`,
  copy: "Code kopieren",
  copyIn: (language) => `${language}-Code kopieren`,
  done: "Erledigt",
  formula: "Formel",
  notDone: "Nicht erledigt",
  table: "Tabelle",
  wrap: "Zeilen umbrechen",
};
