/** The growing parts that a run has produced: what its last commit writes, and what a lost topic is opened with again [R8]. */
import { type Accumulate, type Accumulator, type PartKind, TEXT } from "../ports/event-log.ts";
import { deltaHead } from "../protocol/codec.ts";
import { GrowingText } from "../protocol/growing-text.ts";

/** UTF-16 units of one part; the accumulators of the log take no more. */
export const MAX_PART = 1024 * 1024;

export interface RunPart {
  readonly messageId: string;
  readonly partIndex: number;
  readonly kind: PartKind;
  /** `deltaHead` of it, for the codec. */
  readonly head: string;
  readonly text: GrowingText;
  /** A high surrogate at the end of the last delta, kept back until its other half comes; not in `text` yet. */
  half: string;
  /** Has a delta of it gone out? The first one never waits. */
  begun: boolean;
}

const newPart = (messageId: string, partIndex: number, kind: PartKind): RunPart => ({
  messageId,
  partIndex,
  kind,
  head: deltaHead(kind, messageId, partIndex),
  text: new GrowingText(),
  half: "",
  begun: false,
});

export class RunText {
  #parts: RunPart[] = [];

  constructor(own: readonly Accumulator[] = []) {
    for (const { messageId, partIndex, part, text } of own) {
      const known = newPart(messageId, partIndex, part);
      known.text.append(text);
      this.#parts.push(known);
    }
  }

  /** Begins the part, as text, if there is none. */
  part(messageId: string, partIndex: number): RunPart {
    return this.find(messageId, partIndex) ?? this.#begin(messageId, partIndex, TEXT);
  }

  find(messageId: string, partIndex: number): RunPart | undefined {
    return this.#parts.findLast((part) => part.partIndex === partIndex && part.messageId === messageId);
  }

  /** What the log does with its accumulators, done here. */
  apply(change: Accumulate): void {
    switch (change.kind) {
      case "extend": {
        const { text } = this.part(change.messageId, change.partIndex);
        if (change.offset !== text.length) throw new Error(`A delta at ${change.offset}, the text has ${text.length}`);
        return text.append(change.delta);
      }
      case "reset":
        return this.#reset(change);
      case "drop":
        this.#parts = this.#parts.filter((part) => part.messageId !== change.messageId);
    }
  }

  accumulators(): Accumulator[] {
    return this.#parts.map(({ messageId, partIndex, kind, text }) => ({
      messageId,
      partIndex,
      part: kind,
      text: text.toString(),
    }));
  }

  #reset({ messageId, partIndex, length, part: begins }: Extract<Accumulate, { readonly kind: "reset" }>): void {
    this.#parts = this.#parts.filter(
      (part) => part.messageId !== messageId || part.partIndex < partIndex + (length > 0 ? 1 : 0),
    );
    if (begins !== undefined) {
      // A run writes one answer at a time: another one is whole in the store.
      this.#parts = this.#parts.filter((part) => part.messageId === messageId);
      this.#begin(messageId, partIndex, begins);
    }
    const part = this.find(messageId, partIndex);
    if (part === undefined) return;
    part.text.cut(length);
    part.half = "";
    part.begun = false;
  }

  #begin(messageId: string, partIndex: number, kind: PartKind): RunPart {
    const part = newPart(messageId, partIndex, kind);
    this.#parts.push(part);
    return part;
  }
}
