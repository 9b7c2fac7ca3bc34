/** A request of `generateContent` out of ours. Pure. */
import type { Content, GenerateContentConfig, Part } from "@google/genai";
import type { ModelContent, ModelMessage, ModelRequest, ModelToolResult } from "../ports/model.ts";
import { attachedText, base64, baseType, unreadable } from "./attachments.ts";
import { decodeContinuation } from "./gemini-continuation.ts";
import { type GeminiTraits, traitsOf } from "./gemini-models.ts";
import { pairResults } from "./turns.ts";
import { object, parsed } from "./wire-json.ts";

export interface GeminiBody {
  readonly contents: Content[];
  readonly config: Pick<GenerateContentConfig, "systemInstruction" | "tools" | "thinkingConfig">;
}

type Assistant = Extract<ModelMessage, { role: "assistant" }>;

/** Google's own word for calls that its model did not make: those of another model, before a fallback. */
const FOREIGN = "skip_thought_signature_validator";
const INLINE = /^(?:image\/(?:png|jpeg|webp|heic|heif)|application\/pdf|audio\/.+|video\/.+)$/;

/** `model`: without `google/`. */
export function geminiBody(model: string, request: ModelRequest): GeminiBody {
  const traits = traitsOf(model);
  const system = request.messages.flatMap((message) => (message.role === "system" ? textPart(message.text) : []));
  return {
    contents: contentsOf(model, traits, pairResults(request.messages)),
    config: {
      ...(system.length > 0 && { systemInstruction: { parts: system } }),
      ...(request.tools.length > 0 && { tools: [{ functionDeclarations: request.tools.map(declaration) }] }),
      ...(traits.thinks && { thinkingConfig: { includeThoughts: true } }),
    },
  };
}

const declaration = ({ name, description, parameters }: ModelRequest["tools"][number]) => {
  const { $schema: _, ...parametersJsonSchema } = parameters;
  return { name, description, parametersJsonSchema };
};

/** The user begins. What a user says stands apart from the results before it: with it a turn begins. */
function contentsOf(model: string, traits: GeminiTraits, messages: readonly ModelMessage[]): Content[] {
  const contents: Content[] = [];
  let last: ModelMessage["role"] | undefined;
  const add = (from: ModelMessage["role"], role: "user" | "model", parts: Part[]) => {
    if (parts.length === 0) return;
    const before = contents.at(-1);
    if (last === from) before?.parts?.push(...parts);
    else contents.push({ role, parts });
    last = from;
  };
  const turn = messages.findLastIndex((message) => message.role === "user");
  for (const [index, message] of messages.entries()) {
    if (message.role === "user") add("user", "user", message.content.flatMap(userPart));
    else if (message.role === "tool") add("tool", "user", message.results.map(resultPart));
    else if (message.role === "assistant") {
      add("assistant", "model", assistantParts(model, message, traits.signs && index > turn));
    }
  }
  if (contents[0]?.role === "model") {
    contents.unshift({ role: "user", parts: textPart("[What was said before is left out.]") });
  }
  return contents;
}

function userPart(part: ModelContent): Part[] {
  if (part.type === "text") return textPart(part.text);
  const { name, mediaType, data } = part;
  const mimeType = baseType(mediaType);
  if (INLINE.test(mimeType)) return [{ inlineData: { mimeType, data: base64(data) } }];
  const text = attachedText(mediaType, data);
  return textPart(text === undefined ? unreadable(name, mediaType) : `File ${JSON.stringify(name)}:\n\n${text}`);
}

function resultPart({ toolCallId, name, content, isError }: ModelToolResult): Part {
  const json = parsed(content);
  const output = object(json) ?? (Array.isArray(json) ? json : content.toWellFormed());
  return { functionResponse: { id: toolCallId, name, response: isError ? { error: output } : { output } } };
}

/** `signed`: its calls are of the running turn, so that the first of them needs a signature. */
function assistantParts(model: string, message: Assistant, signed: boolean): Part[] {
  const signatures = decodeContinuation(model, message.continuation);
  const parts = message.content.flatMap((part): Part[] => {
    if (part.type === "reasoning") return [];
    if (part.type === "text") return textPart(part.text);
    return [{ functionCall: { id: part.toolCallId, name: part.name, args: part.args } }];
  });
  for (const [at, part] of parts.entries()) {
    const signature = signatures.get(at);
    if (signature !== undefined) part.thoughtSignature = signature;
  }
  const first = parts.find((part) => part.functionCall !== undefined);
  if (signed && first !== undefined) first.thoughtSignature ??= FOREIGN;
  return parts;
}

/** Nothing for a blank text, which is refused. */
function textPart(text: string): Part[] {
  return text.trim() === "" ? [] : [{ text: text.toWellFormed() }];
}
