import type { tool as en } from "../en/tool.ts";
import { number, plural } from "../locale.ts";

export const tool: typeof en = {
  statuses: {
    streaming: "Wird vorbereitet",
    pending: "Als Nächstes",
    waiting: "Wartet auf dich",
    running: "Läuft",
    completed: "Fertig",
    failed: "Fehlgeschlagen",
    denied: "Abgelehnt",
    stopped: "Angehalten",
  },
  phrases: {
    clock: {
      alone: ["Auf die Uhr sehen", "Sieht auf die Uhr", "Auf die Uhr gesehen"],
      to: ["Auf die Uhr von # sehen", "Sieht auf die Uhr von #", "Auf die Uhr von # gesehen"],
    },
    calculator: {
      alone: ["Rechnen", "Rechnet", "Gerechnet"],
      to: ["# berechnen", "Berechnet #", "# berechnet"],
    },
    memory_save: {
      alone: ["Merken", "Merkt sich etwas", "Gemerkt"],
      to: ["„#“ merken", "Merkt sich „#“", "„#“ gemerkt"],
    },
    memory_search: {
      alone: ["Erinnerungen suchen", "Sucht Erinnerungen", "Erinnerungen gesucht"],
      to: ["Erinnerungen an „#“ suchen", "Sucht Erinnerungen an „#“", "Erinnerungen an „#“ gesucht"],
    },
    memory_forget: {
      alone: ["Vergessen", "Vergisst etwas", "Etwas vergessen"],
      to: ["„#“ vergessen", "Vergisst „#“", "„#“ wurde vergessen"],
    },
    plan: {
      alone: ["Plan ändern", "Ändert den Plan", "Plan geändert"],
      to: ["Plan ändern", "Ändert den Plan", "Plan geändert"],
    },
    research: {
      alone: ["Recherchieren", "Recherchiert", "Recherchiert und fertig"],
      to: ["# recherchieren", "Recherchiert #", "Recherche zu # fertig"],
    },
    file_delete: {
      alone: ["Löschen", "Löscht", "Gelöscht"],
      to: ["# löschen", "Löscht #", "# gelöscht"],
    },
    unknown: {
      alone: ["Ein Werkzeug benutzen", "Benutzt ein Werkzeug", "Ein Werkzeug benutzt"],
      to: ["# benutzen", "Benutzt #", "# benutzt"],
    },
  },
  ran: (count) => plural("de", count, { one: "# Werkzeug benutzt", other: "# Werkzeuge benutzt" }),
  didNotRun: (count) => plural("de", count, { one: "# Werkzeug lief nicht", other: "# Werkzeuge liefen nicht" }),
  failed: (count) => `${number(count)} fehlgeschlagen`,
  denied: (count) => `${number(count)} abgelehnt`,
  loading: "Wird geladen…",
  arguments: "Argumente",
  argumentsLabel: "Argumente",
  copyArguments: "Argumente kopieren",
  none: "Keine",
  whyNot: "Warum nicht",
  whatWentWrong: "Was schiefging",
  result: "Ergebnis",
  resultLabel: "Ergebnis",
  copyResult: "Ergebnis kopieren",
  nothing: "Nichts",
  showAll: (characters) => `Alle ${number(characters)} Zeichen zeigen`,
};
