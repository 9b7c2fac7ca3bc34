import type { ModelInfo } from "../../../src/protocol/shapes.ts";

export interface Suggestion {
  readonly label: string;
  readonly text: string;
}

/** By the hour of the reader's own clock. */
export function greeting(now: Date): string {
  const hour = now.getHours();
  if (hour < 5) return "Good evening";
  if (hour < 12) return "Good morning";
  return hour < 18 ? "Good afternoon" : "Good evening";
}

const DEMO: readonly Suggestion[] = [
  { label: "What can you do?", text: "What can you do?" },
  { label: "Count to 20", text: "count to 20" },
  { label: "Research otters and seals", text: "research otters and seals" },
  { label: "Plan a picnic", text: "plan a picnic" },
];

const GENERAL: readonly Suggestion[] = [
  {
    label: "Explain a hard idea simply",
    text: "Explain how public-key cryptography works, simply, in five sentences.",
  },
  {
    label: "Plan a weekend",
    text: "Plan a quiet weekend in a city I don't know yet. Ask me what you need to know first.",
  },
  { label: "Compare in a table", text: "Compare PostgreSQL and SQLite for a small web app, in a table." },
  {
    label: "Write a small program",
    text: "Write a small program that finds duplicate files in a folder. Explain it briefly.",
  },
];

/** At most four, and only what the model that answers can do. */
export function suggestionsFor(
  models: readonly ModelInfo[] | undefined,
  demo: ModelInfo | undefined,
): readonly Suggestion[] {
  if (models === undefined) return [];
  return demo === undefined ? GENERAL : DEMO;
}
