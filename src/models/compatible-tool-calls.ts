/**
 * Tool calls out of the chunks of a stream. OpenAI gives each call an index and sends its arguments in pieces. Others
 * send a call whole, without an index, without an id, with the index 0 or the same id for all of them, or with another
 * id in each piece; and arguments as an object. What is a new call is decided by what a call can't be: a name behind
 * arguments that are complete begins another one.
 */
import type { ModelSink } from "../ports/model.ts";
import type { CallIds } from "./call-ids.ts";
import { count, object, parsed, text } from "./wire-json.ts";

export interface ToolCallReader {
  /** One entry of `tool_calls`. */
  take(entry: unknown): void;
  /** Calls that have begun. */
  readonly size: number;
  /** Did something come that never got a name? */
  nameless(): boolean;
  /** What servers want back with a call, by its id (Gemini's signatures of thoughts). */
  extras(): Readonly<Record<string, unknown>>;
}

interface Slot {
  readonly index: number | undefined;
  readonly given: string | undefined;
  name: string | undefined;
  /** Once it has begun at the sink. */
  toolCallId: string | undefined;
  args: string;
  extra: unknown;
}

interface Piece {
  readonly index: number | undefined;
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly args: string;
}

export function createToolCallReader(sink: ModelSink, ids: CallIds): ToolCallReader {
  const slots: Slot[] = [];

  function take(entry: unknown): void {
    const call = object(entry);
    const fn = object(call?.["function"]);
    const args = fn?.["arguments"];
    const piece: Piece = {
      index: count(call?.["index"]),
      id: text(call?.["id"]),
      name: text(fn?.["name"]),
      args: typeof args === "string" ? args : object(args) === undefined ? "" : JSON.stringify(args),
    };
    const slot = slotOf(piece) ?? add(piece);
    slot.name ??= piece.name;
    slot.extra ??= call?.["extra_content"];
    write(slot, piece.args);
  }

  /** Undefined: it is a new call. */
  function slotOf({ index, id, name, args }: Piece): Slot | undefined {
    const slot =
      index !== undefined
        ? slots.findLast((each) => each.index === index)
        : (slots.findLast((each) => id !== undefined && each.given === id) ??
          (id !== undefined && name !== undefined ? undefined : slots.at(-1)));
    if (slot?.name === undefined || name === undefined) return slot;
    // A name again: of the same call, or of the next one?
    if (index !== undefined && id !== undefined && id !== slot.given) return undefined;
    if (index === undefined && id === undefined && (name !== slot.name || slot.args === "")) return undefined;
    return args.trim() !== "" && isComplete(slot.args) ? undefined : slot;
  }

  function add({ index, id }: Piece): Slot {
    const slot: Slot = { index, given: id, name: undefined, toolCallId: undefined, args: "", extra: undefined };
    slots.push(slot);
    return slot;
  }

  function write(slot: Slot, args: string): void {
    slot.args += args;
    if (slot.name === undefined) return;
    if (slot.toolCallId !== undefined) {
      if (args !== "") sink.toolArgs(slot.toolCallId, args);
      return;
    }
    slot.toolCallId = ids.claim(slot.given);
    sink.toolCall(slot.toolCallId, slot.name);
    if (slot.args !== "") sink.toolArgs(slot.toolCallId, slot.args);
  }

  return {
    take,
    get size() {
      return slots.length;
    },
    nameless: () => slots.some(({ name }) => name === undefined),
    extras: () =>
      Object.fromEntries(
        slots.flatMap(({ toolCallId, extra }) =>
          toolCallId === undefined || object(extra) === undefined ? [] : [[toolCallId, extra]],
        ),
      ),
  };
}

const isComplete = (args: string): boolean => args.trimEnd().endsWith("}") && object(parsed(args)) !== undefined;
