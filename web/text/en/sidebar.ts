export const sidebar = {
  /** By how old the last activity is. */
  ages: {
    today: "Today",
    yesterday: "Yesterday",
    week: "Last 7 days",
    month: "Last 30 days",
    older: "Older",
  },
  none: "Your conversations will be listed here.",
  showMore: "Show more",
  title: "Title",
  rename: (title: string) => `Rename ${title}`,
  renameKey: "Rename (F2)",
  /** After the person's name. */
  account: ", account and theme",
  accountMenu: "Account and theme",
  theme: "Theme",
  themes: { light: "Light", dark: "Dark", system: "System" },
  signOut: "Sign out",
};
