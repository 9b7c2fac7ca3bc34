import { type KeyValues, parsed } from "./storage.ts";

/** How long a model thought is told by nobody but those who looked on. */
export interface ThoughtTimes {
  /** Milliseconds; undefined where nobody here looked on. */
  read(messageId: string, partIndex: number): number | undefined;
  write(messageId: string, partIndex: number, ms: number): void;
}

const KEY = "thoughts";
/** The latest that are remembered. */
export const MAX_THOUGHTS = 200;

export function createThoughtTimes(storage: KeyValues): ThoughtTimes {
  const load = (): (readonly [string, number])[] => {
    const kept = parsed(storage.get(KEY));
    return Array.isArray(kept) ? kept.filter(isEntry) : [];
  };
  const times = new Map(load());
  return {
    read: (messageId, partIndex) => times.get(`${messageId}.${partIndex}`),
    write(messageId, partIndex, ms) {
      // Another tab may have written since.
      for (const [key, time] of load()) if (!times.has(key)) times.set(key, time);
      times.set(`${messageId}.${partIndex}`, ms);
      while (times.size > MAX_THOUGHTS) times.delete(times.keys().next().value ?? "");
      storage.set(KEY, JSON.stringify([...times]));
    },
  };
}

const isEntry = (value: unknown): value is readonly [string, number] =>
  Array.isArray(value) && typeof value[0] === "string" && typeof value[1] === "number";
