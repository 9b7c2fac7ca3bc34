import type { prompts as en } from "../en/prompts.ts";

export const prompts: typeof en = {
  hint: "Texte, mit denen du Nachrichten beginnst. Tippe / im Eingabefeld, um eine zu benutzen. Was zwischen {{ und }} steht, wird zum Ausfüllen markiert.",
  none: "Noch keine Vorlagen.",
  new: "Neue Vorlage",
  name: "Name",
  text: "Text der Vorlage",
  nameFirst: "Gib ihr einen Namen und einen Text.",
  edit: (name) => `Vorlage bearbeiten: ${name}`,
  delete: (name) => `Vorlage löschen: ${name}`,
  use: (name) => `Vorlage benutzen: ${name}`,
  useShort: "Benutzen",
};
