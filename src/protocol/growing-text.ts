/** Deltas that are kept apart until they are joined. */
const MAX_DELTAS = 64;

/**
 * A text that grows by small deltas. Plain concatenation keeps every delta alive as a node of a rope, several times the
 * text's own size, for the garbage collector to walk; here the rope's leaves are many deltas joined into one string.
 */
export class GrowingText {
  #joined: string;
  #deltas: string[] = [];
  #length: number;

  constructor(text = "") {
    this.#joined = text;
    this.#length = text.length;
  }

  /** UTF-16 units. */
  get length(): number {
    return this.#length;
  }

  append(delta: string): void {
    this.#length += delta.length;
    if (this.#deltas.push(delta) >= MAX_DELTAS) this.#join();
  }

  /** Forgets what stands after the first `length` units. */
  cut(length: number): void {
    if (length >= this.#length) return;
    this.#join();
    this.#joined = this.#joined.slice(0, length);
    this.#length = length;
  }

  toString(): string {
    if (this.#deltas.length > 0) this.#join();
    return this.#joined;
  }

  #join(): void {
    this.#joined += this.#deltas.join("");
    this.#deltas.length = 0;
  }
}
