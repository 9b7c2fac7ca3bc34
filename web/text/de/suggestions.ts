import type { suggestions as en } from "../en/suggestions.ts";

export const suggestions: typeof en = {
  capabilities: "Was kannst du?",
  count: "Bis 20 zählen",
  research: "Otter und Robben recherchieren",
  picnic: "Ein Picknick planen",
  idea: {
    label: "Etwas Schwieriges einfach erklären",
    text: "Erkläre einfach und in fünf Sätzen, wie asymmetrische Verschlüsselung funktioniert.",
  },
  weekend: {
    label: "Ein Wochenende planen",
    text: "Plane ein ruhiges Wochenende in einer Stadt, die ich noch nicht kenne. Frag mich zuerst, was du wissen musst.",
  },
  table: {
    label: "In einer Tabelle vergleichen",
    text: "Vergleiche PostgreSQL und SQLite für eine kleine Web-App, in einer Tabelle.",
  },
  program: {
    label: "Ein kleines Programm schreiben",
    text: "Schreibe ein kleines Programm, das doppelte Dateien in einem Ordner findet. Erkläre es kurz.",
  },
};
