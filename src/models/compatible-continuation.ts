/**
 * What servers of chat completions want back with the results of tools: the reasoning, in the field and form in which
 * they gave it. Only for the model that wrote it, and for the calls of that answer.
 */
import { list, object, text, type JsonObject } from "./wire-json.ts";

export interface ChatContinuation {
  readonly chat: 1;
  readonly model: string;
  readonly reasoning?: {
    /** `thinking`: an entry of Mistral's content. */
    readonly field: ReasoningField;
    readonly text: string;
  };
  /** OpenRouter's `reasoning_details`, in their order: some are signed or encrypted. */
  readonly details?: readonly JsonObject[];
  /** `extra_content` of calls, by their ids. */
  readonly extras?: Readonly<Record<string, unknown>>;
}

export type ReasoningField = "reasoning_content" | "reasoning" | "thinking";

/** UTF-8 bytes of the JSON. */
const MAX_BYTES = 256 * 1024;

/** Undefined when there is nothing in it, or too much. */
export function bounded(continuation: ChatContinuation): ChatContinuation | undefined {
  const { reasoning, details, extras } = continuation;
  if (reasoning === undefined && details === undefined && extras === undefined) return undefined;
  return Buffer.byteLength(JSON.stringify(continuation)) > MAX_BYTES ? undefined : continuation;
}

/** From the journal. */
export function chatContinuationOf(value: unknown, model: string): ChatContinuation | undefined {
  const found = object(value);
  if (found?.["chat"] !== 1 || found["model"] !== model) return undefined;
  // Written by `bounded`: of what is in it only the forms are looked at.
  const reasoning = object(found["reasoning"]);
  const sound =
    (reasoning === undefined || typeof reasoning["text"] === "string") &&
    list(found["details"]).every((detail) => object(detail) !== undefined);
  return sound ? (value as ChatContinuation) : undefined;
}

/**
 * Pieces of OpenRouter's details put together: those in a row of one type and index grow in their texts; the last
 * signature, id and format count (https://openrouter.ai/docs/use-cases/reasoning-tokens).
 */
export function addDetail(details: JsonObject[], piece: JsonObject): void {
  const last = details.at(-1);
  if (last === undefined || last["type"] !== piece["type"] || last["index"] !== piece["index"]) {
    details.push(piece);
    return;
  }
  const grown: Record<string, unknown> = { ...last };
  for (const [name, value] of Object.entries(piece)) {
    if (value === null || value === undefined) continue;
    const grows = name === "text" || name === "summary" || name === "data";
    grown[name] = grows ? (text(grown[name]) ?? "") + (text(value) ?? "") : value;
  }
  details[details.length - 1] = grown;
}
