import type { chat as en } from "../en/chat.ts";
import { number } from "../locale.ts";

export const chat: typeof en = {
  conversation: "Unterhaltung",
  loading: "Wird geladen",
  loadingOlder: "Frühere Nachrichten werden geladen…",
  dropFiles: "Dateien hier ablegen, um sie anzuhängen",
  gone: "Diese Unterhaltung ist nicht hier",
  goneWhy: "Es gibt sie nicht, oder sie gehört jemand anderem.",
  notOpened: "Die Unterhaltung konnte nicht geöffnet werden",
  greetings: { morning: "Guten Morgen", afternoon: "Guten Tag", evening: "Guten Abend" },
  suggestions: "Vorschläge",
  canBeWrong: "Antworten können falsch sein. Prüfe, worauf es ankommt.",
  demo: "Demo-Modell: Die Antworten sind vorgefertigt; siehe Dokumentation.",
  decisionNeeded: "Deine Entscheidung ist gefragt",
  decisionsNeeded: (summaries) => `Deine Entscheidung ist gefragt. ${summaries}`,
  toLatest: "Zum Neuesten springen",
  responding: "Antwort läuft",
  reconnecting: "Verbindung wird wiederhergestellt…",
  offline: "Du bist offline.",
  queued: (count) => `${number(count)} in der Warteschlange`,
  tooManyConnections:
    "Der Server hat so viele Verbindungen, wie er zulässt. Schließe einen anderen Tab und versuche es dann noch einmal.",
  ended: "Der Server hat die Verbindung beendet. Lade die Seite neu, falls das noch einmal geschieht.",
};
