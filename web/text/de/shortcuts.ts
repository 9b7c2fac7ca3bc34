import type { shortcuts as en } from "../en/shortcuts.ts";

export const shortcuts: typeof en = {
  title: "Tastenkürzel",
  everywhere: "Überall",
  inField: "Im Eingabefeld",
  inLists: "In Listen und Menüs",
  keys: { control: "Strg", shift: "Umschalt", enter: "Eingabe", escape: "Esc", up: "↑", down: "↓" },
  help: "Diese Übersicht zeigen",
  send: "Senden",
  newLine: "Neue Zeile",
  slash: "Vorlagen und Befehle, am Anfang einer Nachricht",
  move: "Zum nächsten oder vorigen Eintrag",
  choose: "Auswählen",
  close: "Schließen, was offen ist, oder die Antwort anhalten",
  rename: "Unterhaltung umbenennen",
  singleOff: "Die Taste ? ist in den Einstellungen ausgeschaltet.",
};
