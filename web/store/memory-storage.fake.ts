import { type KeyValues, keyValues } from "./storage.ts";

/** A browser's storage without a browser. `room`: entries it takes before it is full. */
export function memoryStorage(room = Infinity): KeyValues {
  const entries = new Map<string, string>();
  return keyValues({
    get length() {
      return entries.size;
    },
    key: (i) => [...entries.keys()][i] ?? null,
    getItem: (key) => entries.get(key) ?? null,
    setItem(key, value) {
      if (!entries.has(key) && entries.size >= room) throw new DOMException("full", "QuotaExceededError");
      entries.set(key, value);
    },
    removeItem: (key) => void entries.delete(key),
    clear: () => entries.clear(),
  });
}
