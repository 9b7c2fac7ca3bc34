import type { Conversation } from "../../../src/protocol/shapes.ts";
import { text } from "../../text/text.ts";

export interface AgeGroup {
  readonly label: string;
  readonly items: readonly Conversation[];
}

const DAY_MS = 24 * 3600 * 1000;

/** By the reader's own days: how old the last activity is. Order is kept; groups without items are left out. */
export function byAge(conversations: readonly Conversation[], now: Date): readonly AgeGroup[] {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const { today, yesterday, week, month, older } = text().sidebar.ages;
  const labels = [today, yesterday, week, month, older];
  const limits = [midnight, midnight - DAY_MS, midnight - 7 * DAY_MS, midnight - 30 * DAY_MS, -Infinity];
  const groups = labels.map((label) => ({ label, items: [] as Conversation[] }));
  for (const conversation of conversations) {
    const at = Date.parse(conversation.updatedAt);
    groups[limits.findIndex((limit) => !(at < limit))]?.items.push(conversation);
  }
  return groups.filter(({ items }) => items.length > 0);
}
