/** Units of the tail; also what a text takes in memory before it says much. */
const TAIL = 256;

/**
 * A text that grows by small deltas. Plain concatenation keeps every delta alive as a node of a rope, several times the
 * text's own size, for the garbage collector to walk. Here the newest units are numbers outside of its reach, and the
 * rope's leaves are long.
 *
 *   joined: one string   │ tail: units, moved to `joined` when they no longer fit
 */
export class GrowingText {
  #joined: string;
  readonly #tail = new Uint16Array(TAIL);
  #used = 0;

  constructor(text = "") {
    this.#joined = text;
  }

  /** UTF-16 units. */
  get length(): number {
    return this.#joined.length + this.#used;
  }

  append(delta: string): void {
    const { length } = delta;
    if (length > TAIL - this.#used) this.#join();
    if (length > TAIL) {
      this.#joined += delta;
      return;
    }
    const tail = this.#tail;
    const used = this.#used;
    for (let i = 0; i < length; i++) tail[used + i] = delta.charCodeAt(i);
    this.#used = used + length;
  }

  /** The same, of ASCII in bytes. */
  appendAscii(bytes: Uint8Array, from: number, length: number): void {
    if (length > TAIL - this.#used) this.#join();
    const tail = this.#tail;
    const used = this.#used;
    for (let i = 0; i < length; i++) tail[used + i] = bytes[from + i] ?? 0;
    this.#used = used + length;
  }

  /** Forgets what stands after the first `length` units. */
  cut(length: number): void {
    if (length >= this.length) return;
    this.#join();
    this.#joined = this.#joined.slice(0, length);
  }

  toString(): string {
    this.#join();
    return this.#joined;
  }

  #join(): void {
    if (this.#used === 0) return;
    // Spreading it would go through its iterator, unit by unit.
    this.#joined += Reflect.apply(String.fromCharCode, undefined, this.#tail.subarray(0, this.#used)) as string;
    this.#used = 0;
  }
}
