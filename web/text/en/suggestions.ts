export const suggestions = {
  /** What the demo model answers to is English. */
  capabilities: "What can you do?",
  count: "Count to 20",
  research: "Research otters and seals",
  picnic: "Plan a picnic",
  idea: {
    label: "Explain a hard idea simply",
    text: "Explain how public-key cryptography works, simply, in five sentences.",
  },
  weekend: {
    label: "Plan a weekend",
    text: "Plan a quiet weekend in a city I don't know yet. Ask me what you need to know first.",
  },
  table: {
    label: "Compare in a table",
    text: "Compare PostgreSQL and SQLite for a small web app, in a table.",
  },
  program: {
    label: "Write a small program",
    text: "Write a small program that finds duplicate files in a folder. Explain it briefly.",
  },
};
