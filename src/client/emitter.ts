import type { Log } from "./platform.ts";

/** Listeners of one value. A listener that throws is logged and does not keep the others from hearing. */
export class Emitter<T> {
  readonly #listeners = new Set<(value: T) => void>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The answer unsubscribes. */
  subscribe(listener: (value: T) => void): () => void {
    // A function of its own, so that one listener may subscribe twice.
    const entry = (value: T): void => listener(value);
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  emit(value: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(value);
      } catch (error) {
        this.#log("error", "a listener threw", error);
      }
    }
  }
}
