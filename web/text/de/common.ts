import type { common as en } from "../en/common.ts";

export const common: typeof en = {
  parley: "Parley",
  cancel: "Abbrechen",
  close: "Schließen",
  conversations: "Unterhaltungen",
  copied: "Kopiert",
  copy: "Kopieren",
  newConversation: "Neue Unterhaltung",
  remove: "Entfernen",
  retry: "Wiederholen",
  showAll: "Alles zeigen",
  theRest: "Der Rest wird geladen…",
  tryAgain: "Noch einmal versuchen",
  tryNow: "Jetzt versuchen",
  you: "Du",
};
