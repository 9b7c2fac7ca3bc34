/** What the browser keeps for this page. It may refuse (private windows, a full disk): then nothing is kept. */

export interface KeyValues {
  get(key: string): string | undefined;
  /** False when it could not be kept. */
  set(key: string, value: string): boolean;
  remove(key: string): void;
  keys(): readonly string[];
}

const APP = "parley.";

/** `prefix`: of the keys that belong to whoever asks. */
export function keyValues(storage: Storage | undefined, prefix = APP): KeyValues {
  const attempt = <T>(work: (storage: Storage) => T, otherwise: T): T => {
    try {
      return storage === undefined ? otherwise : work(storage);
    } catch {
      return otherwise;
    }
  };
  return {
    get: (key) => attempt((kept) => kept.getItem(prefix + key) ?? undefined, undefined),
    set: (key, value) => attempt((kept) => (kept.setItem(prefix + key, value), true), false),
    remove: (key) => attempt((kept) => kept.removeItem(prefix + key), undefined),
    keys: () =>
      attempt(
        (kept) =>
          Array.from({ length: kept.length }, (_, i) => kept.key(i) ?? "").flatMap((key) =>
            key.startsWith(prefix) ? [key.slice(prefix.length)] : [],
          ),
        [],
      ),
  };
}

/** The browser's own; reading the property alone may throw. */
export function browserStorage(prefix = APP): KeyValues {
  try {
    return keyValues(globalThis.localStorage, prefix);
  } catch {
    return keyValues(undefined);
  }
}

/** Another tab of this browser kept something else under `key` of `browserStorage`. */
export function onKeptElsewhere(key: string, work: () => void): void {
  // No key: everything was removed.
  addEventListener("storage", (event) => {
    if (event.key === null || event.key === APP + key) work();
  });
}

/** The value of JSON text that somebody else may have written. */
export function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
