import { type Accumulate, type Accumulator, type PartKind, TEXT } from "../ports/event-log.ts";
import { GrowingText } from "../protocol/growing-text.ts";
import type { DeltaPlace, DeltaVisitor } from "./event-log.memory-entries.ts";

/** UTF-16 units of one part. */
const MAX_TEXT = 1024 * 1024;
/** Only one run of a conversation is active, so anything near this many is a leftover; the oldest goes. */
const MAX_PARTS = 256;

/** Deltas are a word or so; a longer one is read faster by the native decoder. */
const SHORT = 64;

function isAscii(bytes: Uint8Array, from: number, length: number): boolean {
  let all = 0;
  for (let i = 0; i < length; i++) all |= bytes[from + i] ?? 0;
  return all < 0x80;
}

interface Part {
  readonly messageId: string;
  readonly partIndex: number;
  readonly kind: PartKind;
  readonly text: GrowingText;
}

/** Text of the messages that stream now [L9]. */
export class Accumulators implements DeltaVisitor {
  #parts: Part[];
  /** False when some text of an active run may be missing here. */
  complete: boolean;

  constructor(initial: readonly Accumulator[], complete: boolean) {
    this.#parts = initial.map(({ messageId, partIndex, part, text }) => ({
      messageId,
      partIndex,
      kind: part,
      text: new GrowingText(text),
    }));
    this.complete = complete;
  }

  list(): Accumulator[] {
    return this.#parts.map(({ messageId, partIndex, kind, text }) => ({
      messageId,
      partIndex,
      part: kind,
      text: text.toString(),
    }));
  }

  apply(change: Accumulate): void {
    switch (change.kind) {
      case "extend":
        return this.#extend(change.messageId, change.partIndex, change.offset, change.delta);
      case "reset":
        return this.#reset(change);
      case "drop":
        this.#parts = this.#parts.filter((part) => part.messageId !== change.messageId);
    }
  }

  /** An entry that extends a part, from the bytes that the log keeps of it. */
  delta({ messageId, partIndex }: DeltaPlace, offset: number, bytes: Buffer, from: number, length: number): void {
    const part = this.#find(messageId, partIndex);
    const goesOn = part !== undefined && part.text.length === offset && offset + length <= MAX_TEXT;
    if (goesOn && length <= SHORT && isAscii(bytes, from, length)) return part.text.appendAscii(bytes, from, length);
    this.#extend(messageId, partIndex, offset, bytes.toString("utf8", from, from + length));
  }

  #extend(messageId: string, partIndex: number, offset: number, delta: string): void {
    const part = this.#find(messageId, partIndex) ?? this.#begin(messageId, partIndex, TEXT);
    const { length } = part.text;
    const added = offset === length ? delta : delta.slice(length - offset);
    if (offset > length || length + added.length > MAX_TEXT) this.complete = false;
    else if (offset + delta.length > length) part.text.append(added);
  }

  #reset({ messageId, partIndex, length, part: begins }: Extract<Accumulate, { readonly kind: "reset" }>): void {
    const kept = length > 0 ? partIndex + 1 : partIndex;
    this.#parts = this.#parts.filter((part) => part.messageId !== messageId || part.partIndex < kept);
    if (begins !== undefined) this.#begin(messageId, partIndex, begins);
    const part = this.#find(messageId, partIndex);
    this.complete = length === 0 || (part !== undefined && part.text.length >= length);
    part?.text.cut(length);
  }

  /** From the end, as the part that grows is the newest. */
  #find(messageId: string, partIndex: number): Part | undefined {
    for (let i = this.#parts.length - 1; i >= 0; i--) {
      const part = this.#parts[i];
      if (part?.partIndex === partIndex && part.messageId === messageId) return part;
    }
    return undefined;
  }

  #begin(messageId: string, partIndex: number, kind: PartKind): Part {
    if (this.#parts.length >= MAX_PARTS) {
      this.#parts.shift();
      this.complete = false;
    }
    const part = { messageId, partIndex, kind, text: new GrowingText() };
    this.#parts.push(part);
    return part;
  }
}
