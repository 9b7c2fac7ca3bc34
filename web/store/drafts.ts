import type { FilePart } from "../../src/protocol/shapes.ts";
import { type KeyValues, parsed } from "./storage.ts";

/** Drafts that are kept; the ones longest untouched go first. */
export const MAX_DRAFTS = 50;
/** UTF-16 units of one; the rest of a longer one lives only as long as the page. */
export const MAX_DRAFT = 100_000;

/** What a person is about to say. */
export interface Draft {
  readonly text: string;
  /** Uploaded already. */
  readonly files: readonly FilePart[];
  /** That was chosen for it; undefined: none was. */
  readonly model: string | undefined;
}

export const NO_DRAFT: Draft = { text: "", files: [], model: undefined };

export interface Drafts {
  read(conversationId: string): Draft;
  /** Changes what is named. Without anything in it, the draft is forgotten. */
  write(conversationId: string, changes: Partial<Draft>): void;
}

interface Kept extends Partial<Draft> {
  readonly at: number;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const isFile = (value: unknown): value is FilePart =>
  isObject(value) &&
  value["type"] === "file" &&
  typeof value["fileId"] === "string" &&
  typeof value["name"] === "string" &&
  typeof value["mediaType"] === "string" &&
  typeof value["size"] === "number";

function draftOf(value: unknown): Draft & { readonly at: number } {
  if (!isObject(value)) return { ...NO_DRAFT, at: 0 };
  const { text, files, model, at } = value;
  return {
    text: typeof text === "string" ? text : "",
    files: Array.isArray(files) ? files.filter(isFile) : [],
    model: typeof model === "string" ? model : undefined,
    at: typeof at === "number" ? at : 0,
  };
}

/** What a person has written and not sent, by conversation. Others who sign in here have their own. */
export function createDrafts(storage: KeyValues, userId: string, now: () => number = Date.now): Drafts {
  const prefix = `draft.${userId}.`;

  const read = (key: string) => draftOf(parsed(storage.get(key)));

  function makeRoom(): void {
    const kept = storage.keys().filter((key) => key.startsWith("draft."));
    if (kept.length <= MAX_DRAFTS) return;
    const byAge = kept.map((key) => ({ key, at: read(key).at })).toSorted((a, b) => a.at - b.at);
    for (const { key } of byAge.slice(0, kept.length - MAX_DRAFTS)) storage.remove(key);
  }

  return {
    read(conversationId) {
      const { at: _, ...draft } = read(prefix + conversationId);
      return draft;
    },
    write(conversationId, changes) {
      const key = prefix + conversationId;
      const { text, files, model } = { ...read(key), ...changes };
      if (text.trim() === "" && files.length === 0 && model === undefined) return storage.remove(key);
      const kept: Kept = {
        text: text.slice(0, MAX_DRAFT),
        at: now(),
        ...(files.length === 0 ? {} : { files }),
        ...(model === undefined ? {} : { model }),
      };
      if (storage.set(key, JSON.stringify(kept))) makeRoom();
    },
  };
}
