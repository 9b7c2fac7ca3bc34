/**
 * What OpenAI wants back with the results of tools: the items of the answer that called them, with the reasoning in
 * its encrypted form. Only for the model that wrote it; arguments are left out, as the message has them.
 */
import type {
  ResponseFunctionToolCall,
  ResponseInputItem,
  ResponseOutputItem,
  ResponseReasoningItem,
} from "openai/resources/responses/responses";
import { list, object, text } from "./wire-json.ts";

type Message = Extract<ResponseInputItem, { type: "message"; id: string; role: "assistant" }>;
type Call = Omit<ResponseFunctionToolCall, "arguments">;

export interface Continuation {
  readonly openai: 1;
  readonly model: string;
  readonly items: readonly (ResponseReasoningItem | Message | Call)[];
}

/** UTF-8 bytes of the JSON. */
const MAX_BYTES = 256 * 1024;

/** Undefined where nothing needs to go back, or where it would be too much: the calls then go without reasoning. */
export function continuationFrom(model: string, output: readonly ResponseOutputItem[]): Continuation | undefined {
  const items: Continuation["items"][number][] = [];
  for (const item of output) {
    if (item?.type === "reasoning") {
      if (text(item.encrypted_content) !== undefined) items.push(item);
    } else if (item?.type === "message") {
      items.push(item);
    } else if (item?.type === "function_call") {
      const { arguments: _, ...call } = item;
      items.push(call);
    }
  }
  if (!items.some((item) => item.type === "reasoning")) return undefined;
  const continuation: Continuation = { openai: 1, model, items };
  return Buffer.byteLength(JSON.stringify(continuation)) > MAX_BYTES ? undefined : continuation;
}

/** The other way, from the journal. Another model can't read it. */
export function continuationOf(value: unknown, model: string): Continuation | undefined {
  const found = object(value);
  if (found?.["openai"] !== 1 || found["model"] !== model) return undefined;
  const items = list(found["items"]);
  // They were written by `continuationFrom`: here only the kinds are looked at.
  const known = items.every((item) =>
    ["reasoning", "message", "function_call"].includes(String(object(item)?.["type"])),
  );
  return known ? (value as Continuation) : undefined;
}
