/**
 * Transcript → messages of chat completions, as the strictest servers want them: one system message, at the start;
 * then user and assistant in turns (chat templates check that), results of tools right behind their calls.
 */
import type {
  ChatCompletionAssistantMessageParam,
  ChatCompletionContentPart,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions";
import type { ModelContent, ModelMessage } from "../ports/model.ts";
import { attachedText, base64, baseType, unreadable } from "./attachments.ts";
import { chatContinuationOf, type ChatContinuation } from "./compatible-continuation.ts";
import { callIdWriter, type Dialect } from "./compatible-dialect.ts";
import { isWebImage } from "./openai-input.ts";
import { pairResults } from "./turns.ts";

type Assistant = Extract<ModelMessage, { role: "assistant" }>;
/** With what servers want back besides what OpenAI does. */
type AssistantOut = Omit<ChatCompletionAssistantMessageParam, "content"> & Record<string, unknown>;
type Part = ChatCompletionContentPart;

/** `model`: as the server calls it. */
export function chatMessages(
  messages: readonly ModelMessage[],
  model: string,
  dialect: Dialect,
): ChatCompletionMessageParam[] {
  const writeId = callIdWriter(dialect.callIds);
  const system = messages.flatMap((message) => (message.role === "system" ? [message.text] : []));
  const result: ChatCompletionMessageParam[] = [];
  if (system.length > 0) result.push({ role: "system", content: system.join("\n\n") });

  for (const message of merged(pairResults(messages))) {
    switch (message.role) {
      case "system":
        break;
      case "user":
        if (!dialect.userAfterTools && result.at(-1)?.role === "tool") {
          result.push({ role: "assistant", content: "OK." });
        }
        result.push({ role: "user", content: contentOf(message.content) });
        break;
      case "assistant": {
        const continuation = dialect.continuation ? chatContinuationOf(message.continuation, model) : undefined;
        const out = assistantOf(message, continuation, dialect, writeId);
        if (out !== undefined) result.push(out as ChatCompletionAssistantMessageParam);
        break;
      }
      case "tool":
        for (const { toolCallId, name, content } of message.results) {
          result.push({ role: "tool", tool_call_id: writeId(toolCallId, name), content });
        }
    }
  }
  return result;
}

/** Neighbours of one role are one message; of an assistant only while no calls are between. */
function merged(messages: readonly ModelMessage[]): ModelMessage[] {
  const result: ModelMessage[] = [];
  for (const message of messages) {
    const last = result.at(-1);
    if (message.role === "system") continue;
    if (message.role === "user" && last?.role === "user") {
      result[result.length - 1] = { role: "user", content: [...last.content, ...message.content] };
    } else if (message.role === "assistant" && last?.role === "assistant") {
      const { continuation } = message;
      result[result.length - 1] = {
        role: "assistant",
        content: [...last.content, ...message.content],
        ...(continuation !== undefined && { continuation }),
      };
    } else {
      result.push(message);
    }
  }
  return result;
}

/** A string where it can be one: older servers know nothing else. */
function contentOf(content: readonly ModelContent[]): string | Part[] {
  const parts = content.map(partOf);
  return parts.every((part) => part.type === "text") ? parts.map((part) => part.text).join("\n\n") : parts;
}

function partOf(part: ModelContent): Part {
  if (part.type === "text") return { type: "text", text: part.text };
  const { name, mediaType, data } = part;
  const url = () => `data:${baseType(mediaType)};base64,${base64(data)}`;
  if (part.type === "image" && isWebImage(mediaType)) return { type: "image_url", image_url: { url: url() } };
  const written = part.type === "file" ? attachedText(mediaType, data) : undefined;
  if (written !== undefined) return { type: "text", text: `File ${JSON.stringify(name)}:\n\n${written}` };
  if (baseType(mediaType) === "application/pdf") return { type: "file", file: { filename: name, file_data: url() } };
  return { type: "text", text: unreadable(name, mediaType) };
}

function assistantOf(
  { content }: Assistant,
  continuation: ChatContinuation | undefined,
  dialect: Dialect,
  writeId: (toolCallId: string, name: string) => string,
): (AssistantOut & { content: unknown }) | undefined {
  const said = content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n");
  const calls = content.filter((part) => part.type === "tool-call");
  if (said === "" && calls.length === 0) return undefined;
  const thoughts = content.flatMap((part) => (part.type === "reasoning" ? [part.text] : [])).join("\n\n");
  const { reasoning, details, extras } = continuation ?? {};
  const thinking = reasoning?.field === "thinking" ? reasoning.text : undefined;
  return {
    role: "assistant",
    content:
      thinking === undefined
        ? said || null
        : [
            { type: "thinking", thinking: [{ type: "text", text: thinking }] },
            ...(said === "" ? [] : [{ type: "text", text: said }]),
          ],
    ...(dialect.reasoningWithCalls && calls.length > 0 && { reasoning_content: thoughts }),
    ...(reasoning !== undefined && thinking === undefined && details === undefined
      ? { [reasoning.field]: reasoning.text }
      : {}),
    ...(details !== undefined && { reasoning_details: details }),
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ toolCallId, name, args }) => ({
        id: writeId(toolCallId, name),
        type: "function" as const,
        function: { name, arguments: JSON.stringify(args) },
        ...(extras?.[toolCallId] !== undefined && { extra_content: extras[toolCallId] }),
      })),
    }),
  };
}
