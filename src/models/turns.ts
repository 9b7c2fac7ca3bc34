/** What all providers demand of a transcript: each call of a tool has its result, right behind it, and only one. */
import type { ModelMessage, ModelToolCall, ModelToolResult } from "../ports/model.ts";

type Assistant = Extract<ModelMessage, { role: "assistant" }>;

export const callsOf = (message: Assistant): ModelToolCall[] =>
  message.content.filter((part) => part.type === "tool-call");

/** Ids of all calls, for `createCallIds`. */
export function callIdsOf(messages: readonly ModelMessage[]): string[] {
  return messages.flatMap((message) =>
    message.role === "assistant" ? callsOf(message).map((call) => call.toolCallId) : [],
  );
}

/**
 * The same messages, where every call has one result. The caller sees to that; this is the guard behind it: a call
 * without a result gets "interrupted", and a result without a call is left out.
 */
export function pairResults(messages: readonly ModelMessage[]): ModelMessage[] {
  const paired: ModelMessage[] = [];
  let open: readonly ModelToolCall[] = [];
  let results = new Map<string, ModelToolResult>();
  const settle = () => {
    if (open.length > 0)
      paired.push({ role: "tool", results: open.map((call) => results.get(call.toolCallId) ?? interrupted(call)) });
    open = [];
    results = new Map();
  };
  for (const message of messages) {
    if (message.role === "tool") {
      for (const result of message.results) {
        if (!results.has(result.toolCallId)) results.set(result.toolCallId, result);
      }
      continue;
    }
    settle();
    paired.push(message);
    if (message.role === "assistant") open = callsOf(message);
  }
  settle();
  return paired;
}

const interrupted = ({ toolCallId, name }: ModelToolCall): ModelToolResult => ({
  toolCallId,
  name,
  content: "The call was interrupted: it has no result.",
  isError: true,
});
