/**
 * Turns what a model says into parts of the answer, as it says it:
 *
 *   reasoning "…" text "…" call a, call b (interleaved)  ──▶  [reasoning][text][tool a][tool b]
 *
 * Every part begins with its START event and ends with its END event; in between go deltas, once per token.
 */
import type { ModelSink } from "../ports/model.ts";
import { uuidv7 } from "../protocol/id.ts";
import { type Part, toolArgs } from "../protocol/shapes.ts";
import type { RunWriter, Written } from "./run-writer.ts";

/** Parts of one answer; the log keeps the text of 256. */
const MAX_PARTS = 200;
const CALL_ID = /^[\w-]{1,64}$/;

type Begun =
  | { readonly type: "text" | "reasoning" }
  | { readonly type: "tool"; readonly toolCallId: string; readonly name: string };

export interface AnswerSinkOptions {
  readonly writer: RunWriter;
  readonly messageId: string;
  readonly runId: string;
  /** Index of the first part of this call. */
  readonly from: number;
  /** Calls of the run so far: ids that must not come again. */
  readonly knownCalls: ReadonlySet<string>;
  /** Something that is not `written`: the rest of the answer can't be taken. */
  readonly onRefused: (why: Exclude<Written, "written">) => void;
}

export class AnswerSink implements ModelSink {
  readonly #options: AnswerSinkOptions;
  readonly #parts: Begun[] = [];
  /** The provider's id of a call → its part. */
  readonly #calls = new Map<string, number>();
  /** Kind of the part that text or reasoning would go on with. */
  #growing: "text" | "reasoning" | undefined;
  #index: number;

  constructor(options: AnswerSinkOptions) {
    this.#options = options;
    this.#index = options.from - 1;
  }

  text(delta: string): void {
    if (this.#growing !== "text") this.#grow("text");
    this.#write(this.#index, delta);
  }

  reasoning(delta: string): void {
    if (this.#growing !== "reasoning") this.#grow("reasoning");
    this.#write(this.#index, delta);
  }

  toolCall(id: string, name: string): void {
    this.#endGrowing();
    const taken = this.#calls.has(id) || this.#options.knownCalls.has(id);
    const toolCallId = taken || !CALL_ID.test(id) ? uuidv7() : id;
    const partIndex = this.#begin({ type: "tool", toolCallId, name });
    this.#calls.set(id, partIndex);
    const { messageId, runId } = this.#options;
    const about = { toolCallId, toolCallName: name, parentMessageId: messageId, messageId, runId, partIndex };
    this.#event({ type: "TOOL_CALL_START", ...about });
  }

  toolArgs(id: string, delta: string): void {
    const partIndex = this.#calls.get(id);
    if (partIndex !== undefined) this.#write(partIndex, delta);
  }

  /** Ends every part. Nothing is taken after it. */
  end(): void {
    this.#endGrowing();
    const { messageId } = this.#options;
    for (const [i, part] of this.#parts.entries()) {
      if (part.type !== "tool") continue;
      const partIndex = this.#options.from + i;
      const { length } = this.#textOf(partIndex);
      this.#event({ type: "TOOL_CALL_END", toolCallId: part.toolCallId, messageId, partIndex, length });
    }
  }

  /** What was said, as it goes into the journal; calls are still to be settled. */
  parts(): Part[] {
    return this.#parts.map((begun, i): Part => {
      const text = this.#textOf(this.#options.from + i);
      if (begun.type !== "tool") return { type: begun.type, text };
      return { ...begun, ...argsOf(text), status: "pending" };
    });
  }

  #textOf(partIndex: number): string {
    return this.#options.writer.textOf(this.#options.messageId, partIndex);
  }

  #begin(part: Begun): number {
    if (this.#parts.length + this.#options.from >= MAX_PARTS) this.#options.onRefused("length");
    this.#parts.push(part);
    this.#index = this.#options.from + this.#parts.length - 1;
    return this.#index;
  }

  #grow(type: "text" | "reasoning"): void {
    this.#endGrowing();
    const partIndex = this.#begin({ type });
    this.#growing = type;
    const { messageId, runId } = this.#options;
    if (type === "text") this.#event({ type: "TEXT_MESSAGE_START", messageId, role: "assistant", runId, partIndex });
    else this.#event({ type: "REASONING_MESSAGE_START", messageId, role: "reasoning", runId, partIndex });
  }

  #endGrowing(): void {
    const type = this.#growing;
    if (type === undefined) return;
    this.#growing = undefined;
    const { messageId } = this.#options;
    const partIndex = this.#index;
    const { length } = this.#textOf(partIndex);
    if (type === "text") this.#event({ type: "TEXT_MESSAGE_END", messageId, partIndex, length, status: "streaming" });
    else this.#event({ type: "REASONING_MESSAGE_END", messageId, partIndex, length });
  }

  #write(partIndex: number, delta: string): void {
    const written = this.#options.writer.text(this.#options.messageId, partIndex, delta);
    if (written !== "written") this.#options.onRefused(written);
  }

  #event(event: Parameters<RunWriter["event"]>[0]): void {
    const written = this.#options.writer.event(event);
    if (written !== "written") this.#options.onRefused(written);
  }
}

/** No arguments at all is what many models write for a tool that takes none. */
function argsOf(text: string): { readonly args: Record<string, unknown>; readonly argsText?: string } {
  if (text.trim() === "") return { args: {} };
  try {
    const parsed = toolArgs.safeParse(JSON.parse(text));
    if (parsed.success) return { args: parsed.data };
  } catch {
    // Told to the model when the call is settled.
  }
  return { args: {}, argsText: text };
}
