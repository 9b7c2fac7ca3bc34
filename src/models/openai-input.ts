/** Transcript → input of the Responses API. */
import type {
  ResponseCreateParamsStreaming,
  ResponseInputContent,
  ResponseInputItem,
} from "openai/resources/responses/responses";
import type { ModelContent, ModelMessage, ModelRequest, ModelToolCall } from "../ports/model.ts";
import { attachedText, base64, baseType, unreadable } from "./attachments.ts";
import { type Continuation, continuationOf } from "./openai-continuation.ts";
import { pairResults } from "./turns.ts";

type Assistant = Extract<ModelMessage, { role: "assistant" }>;

/** `model`: as OpenAI calls it. */
export function responsesInput(
  messages: readonly ModelMessage[],
  model: string,
): Pick<ResponseCreateParamsStreaming, "input" | "instructions"> {
  const start = messages.findIndex((message) => message.role !== "system");
  const leading = messages.slice(0, start < 0 ? messages.length : start);
  const instructions = leading.map((message) => (message.role === "system" ? message.text : "")).join("\n\n");
  const input = pairResults(messages.slice(leading.length)).flatMap((message) => itemsOf(message, model));
  return { input, ...(instructions !== "" && { instructions }) };
}

function itemsOf(message: ModelMessage, model: string): ResponseInputItem[] {
  switch (message.role) {
    case "system":
      return [{ role: "developer", content: message.text }];
    case "user":
      return [{ role: "user", content: message.content.map(contentOf) }];
    case "assistant": {
      const continuation = continuationOf(message.continuation, model);
      return continuation === undefined ? said(message) : continued(message, continuation);
    }
    case "tool":
      return message.results.map(({ toolCallId, content }) => ({
        type: "function_call_output",
        call_id: toolCallId,
        output: content,
      }));
  }
}

/** Images that models in OpenAI's manner take. */
export const isWebImage = (mediaType: string): boolean =>
  ["image/png", "image/jpeg", "image/webp", "image/gif"].includes(baseType(mediaType));

/** PDF, text, office documents (https://platform.openai.com/docs/guides/pdf-files). */
const isDocument = (mediaType: string, data: Uint8Array): boolean =>
  attachedText(mediaType, data) !== undefined ||
  /^application\/(?:pdf|rtf|msword|vnd\.(?:ms-|openxmlformats-officedocument|oasis\.opendocument))/.test(
    baseType(mediaType),
  );

function contentOf(part: ModelContent): ResponseInputContent {
  if (part.type === "text") return { type: "input_text", text: part.text };
  const known = part.type === "image" ? isWebImage(part.mediaType) : isDocument(part.mediaType, part.data);
  if (!known) return { type: "input_text", text: unreadable(part.name, part.mediaType) };
  const url = `data:${baseType(part.mediaType)};base64,${base64(part.data)}`;
  return part.type === "image"
    ? { type: "input_image", image_url: url, detail: "auto" }
    : { type: "input_file", filename: part.name, file_data: url };
}

const call = ({ toolCallId, name, args }: ModelToolCall): ResponseInputItem => ({
  type: "function_call",
  call_id: toolCallId,
  name,
  arguments: JSON.stringify(args),
});

/** Reasoning without its encrypted form is nothing that the API takes. */
function said({ content }: Assistant): ResponseInputItem[] {
  return content.flatMap((part): ResponseInputItem[] => {
    if (part.type === "tool-call") return [call(part)];
    return part.type === "text" ? [{ role: "assistant", content: part.text }] : [];
  });
}

/**
 * The items of that answer as they were and in their order; but for the arguments of calls, which count as they were
 * run, and for calls that are not part of the message.
 */
function continued({ content }: Assistant, { items }: Continuation): ResponseInputItem[] {
  const calls = new Map(
    content.flatMap((part) => (part.type === "tool-call" ? [[part.toolCallId, part] as const] : [])),
  );
  const result: ResponseInputItem[] = [];
  for (const item of items) {
    if (item.type !== "function_call") {
      result.push(item);
      continue;
    }
    const known = calls.get(item.call_id);
    calls.delete(item.call_id);
    if (known !== undefined) result.push({ ...item, arguments: JSON.stringify(known.args) });
  }
  return [...result, ...[...calls.values()].map(call)];
}

/** The whole request. */
export function responsesBody(
  request: ModelRequest,
  model: string,
  options: { readonly reasoning: boolean; readonly summary: boolean },
): ResponseCreateParamsStreaming {
  const { messages, tools, cacheKey } = request;
  return {
    model,
    ...responsesInput(messages, model),
    stream: true,
    store: false,
    prompt_cache_key: cacheKey,
    ...(options.reasoning && { include: ["reasoning.encrypted_content"] }),
    ...(options.reasoning && options.summary && { reasoning: { summary: "auto" } }),
    ...(tools.length > 0 && {
      parallel_tool_calls: true,
      tools: tools.map(({ name, description, parameters }) => ({
        type: "function",
        name,
        description,
        parameters,
        // Strict schemas know no optional property.
        strict: false,
      })),
    }),
  };
}
