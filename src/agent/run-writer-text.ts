/** The text that a run has produced: what its last commit writes, and what a lost topic is opened with again [R8]. */
import type { Accumulate, Accumulator } from "../ports/event-log.ts";
import { deltaHead } from "../protocol/codec.ts";
import { GrowingText } from "../protocol/growing-text.ts";

/** UTF-16 units of one part; the accumulators of the log take no more. */
export const MAX_PART = 1024 * 1024;

export interface RunPart {
  readonly messageId: string;
  /** `deltaHead` of it, for the codec. */
  readonly head: string;
  readonly partIndex: number;
  readonly text: GrowingText;
  /** Has a delta of it gone out? The first one never waits. */
  begun: boolean;
}

export class RunText {
  #parts: RunPart[] = [];

  constructor(own: readonly Accumulator[] = []) {
    for (const { messageId, partIndex, text } of own) this.part(messageId, partIndex).text.append(text);
  }

  /** Begins the part if there is none. */
  part(messageId: string, partIndex: number): RunPart {
    const found = this.find(messageId, partIndex);
    if (found !== undefined) return found;
    const part = { messageId, head: deltaHead(messageId, partIndex), partIndex, text: new GrowingText(), begun: false };
    this.#parts.push(part);
    return part;
  }

  find(messageId: string, partIndex: number): RunPart | undefined {
    return this.#parts.findLast((part) => part.partIndex === partIndex && part.messageId === messageId);
  }

  /** What the log does with its accumulators, done here. */
  apply(change: Accumulate): void {
    const { messageId } = change;
    switch (change.kind) {
      case "extend": {
        const { text } = this.part(messageId, change.partIndex);
        if (change.offset !== text.length) throw new Error(`A delta at ${change.offset}, the text has ${text.length}`);
        text.append(change.delta);
        break;
      }
      case "reset": {
        this.#parts = this.#parts.filter((part) => part.messageId !== messageId || part.partIndex <= change.partIndex);
        const part = this.part(messageId, change.partIndex);
        part.text.cut(change.length);
        part.begun = false;
        break;
      }
      case "drop":
        this.#parts = this.#parts.filter((part) => part.messageId !== messageId);
    }
  }

  accumulators(): Accumulator[] {
    return this.#parts.map(({ messageId, partIndex, text }) => ({ messageId, partIndex, text: text.toString() }));
  }
}
