import type { ModelInfo } from "../../../src/protocol/shapes.ts";
import { text } from "../../text/text.ts";

export interface Suggestion {
  readonly label: string;
  readonly text: string;
}

/** By the hour of the reader's own clock. */
export function greeting(now: Date): string {
  const hour = now.getHours();
  const { morning, afternoon, evening } = text().chat.greetings;
  if (hour < 5 || hour >= 18) return evening;
  return hour < 12 ? morning : afternoon;
}

/** What is asked for is English: the demo model understands no other language. */
function demoSuggestions(): readonly Suggestion[] {
  const { capabilities, count, research, picnic } = text().suggestions;
  return [
    { label: capabilities, text: "What can you do?" },
    { label: count, text: "count to 20" },
    { label: research, text: "research otters and seals" },
    { label: picnic, text: "plan a picnic" },
  ];
}

/** At most four, and only what the model that answers can do. */
export function suggestionsFor(
  models: readonly ModelInfo[] | undefined,
  demo: ModelInfo | undefined,
): readonly Suggestion[] {
  if (models === undefined) return [];
  if (demo !== undefined) return demoSuggestions();
  const { idea, weekend, table, program } = text().suggestions;
  return [idea, weekend, table, program];
}
