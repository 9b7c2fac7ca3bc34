import { type KeyValues, parsed } from "./storage.ts";

/** Drafts that are kept; the ones longest untouched go first. */
export const MAX_DRAFTS = 50;
/** UTF-16 units of one; the rest of a longer one lives only as long as the page. */
export const MAX_DRAFT = 100_000;

export interface Drafts {
  read(conversationId: string): string;
  /** An empty text forgets it. */
  write(conversationId: string, text: string): void;
}

interface Kept {
  readonly text: string;
  readonly at: number;
}

const isKept = (value: unknown): value is Kept =>
  typeof value === "object" &&
  value !== null &&
  "text" in value &&
  typeof value.text === "string" &&
  "at" in value &&
  typeof value.at === "number";

/** What a person has written and not sent, by conversation. Others who sign in here have their own. */
export function createDrafts(storage: KeyValues, userId: string, now: () => number = Date.now): Drafts {
  const prefix = `draft.${userId}.`;

  const read = (key: string): Kept | undefined => {
    const value = parsed(storage.get(key));
    return isKept(value) ? value : undefined;
  };

  function makeRoom(): void {
    const kept = storage.keys().filter((key) => key.startsWith("draft."));
    if (kept.length <= MAX_DRAFTS) return;
    const byAge = kept.map((key) => ({ key, at: read(key)?.at ?? 0 })).toSorted((a, b) => a.at - b.at);
    for (const { key } of byAge.slice(0, kept.length - MAX_DRAFTS)) storage.remove(key);
  }

  return {
    read: (conversationId) => read(prefix + conversationId)?.text ?? "",
    write(conversationId, text) {
      if (text.trim() === "") return storage.remove(prefix + conversationId);
      const kept: Kept = { text: text.slice(0, MAX_DRAFT), at: now() };
      if (storage.set(prefix + conversationId, JSON.stringify(kept))) makeRoom();
    },
  };
}
