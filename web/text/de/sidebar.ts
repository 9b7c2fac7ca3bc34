import type { sidebar as en } from "../en/sidebar.ts";

export const sidebar: typeof en = {
  ages: {
    today: "Heute",
    yesterday: "Gestern",
    week: "Letzte 7 Tage",
    month: "Letzte 30 Tage",
    older: "Älter",
  },
  none: "Hier stehen später deine Unterhaltungen.",
  showMore: "Mehr anzeigen",
  title: "Titel",
  rename: (title) => `${title} umbenennen`,
  renameKey: "Umbenennen (F2)",
  account: ", Konto und Design",
  accountMenu: "Konto und Design",
  theme: "Design",
  themes: { light: "Hell", dark: "Dunkel", system: "Wie das System" },
  signOut: "Abmelden",
};
