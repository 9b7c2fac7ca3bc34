/** A request of the Messages API out of ours. Pure. */
import type Anthropic from "@anthropic-ai/sdk";
import type { ModelContent, ModelMessage, ModelRequest, ModelToolResult } from "../ports/model.ts";
import { decodeContinuation } from "./anthropic-continuation.ts";
import { traitsOf } from "./anthropic-models.ts";
import { attachedText, base64, baseType, unreadable } from "./attachments.ts";
import { pairResults } from "./turns.ts";

type Body = Anthropic.MessageCreateParamsStreaming;
type Block = Anthropic.ContentBlockParam;
type Turn = { readonly role: "user" | "assistant"; readonly content: Block[] };
type Assistant = Extract<ModelMessage, { role: "assistant" }>;

/** Of the output, for models that think only within a budget. */
const THINKING_BUDGET = 8192;
const CACHED: Anthropic.CacheControlEphemeral = { type: "ephemeral" };
const IMAGE_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"] as const;

/** `model`: without `anthropic/`. */
export function anthropicBody(model: string, request: ModelRequest): Body {
  const { thinking: kind, maxOutputTokens } = traitsOf(model);
  const turns = turnsOf(model, pairResults(request.messages));
  const thinking = thinkingConfig(kind, turns);
  const system = systemOf(request.messages);
  const tools = toolsOf(request, turns);
  markForCache(turns);
  return {
    model,
    max_tokens: maxOutputTokens,
    stream: true,
    messages: turns,
    ...(system.length > 0 && { system }),
    ...(tools.length > 0 && { tools }),
    // The calls of earlier turns need their tools declared, even where no further call is wanted.
    ...(tools.length > 0 && request.tools.length === 0 && { tool_choice: { type: "none" as const } }),
    ...(thinking !== undefined && { thinking }),
  };
}

/** Wherever they stand: the first words of the request. */
function systemOf(messages: readonly ModelMessage[]): Anthropic.TextBlockParam[] {
  const blocks = messages.flatMap((message) => (message.role === "system" ? textBlock(message.text) : []));
  const last = blocks.at(-1);
  if (last !== undefined) last.cache_control = CACHED;
  return blocks;
}

function toolsOf(request: ModelRequest, turns: readonly Turn[]): Anthropic.Tool[] {
  const tools = request.tools.map(({ name, description, parameters }): Anthropic.Tool => ({
    name,
    description,
    input_schema: { ...parameters, type: "object" },
  }));
  if (tools.length === 0) {
    const used = new Set(turns.flatMap(({ content }) => content.flatMap((b) => (b.type === "tool_use" ? b.name : []))));
    for (const name of used) tools.push({ name, input_schema: { type: "object" } });
  }
  const last = tools.at(-1);
  if (last !== undefined) last.cache_control = CACHED;
  return tools;
}

/** Roles alternate and the first is the user's, as the interface demands; a turn without a block is left out. */
function turnsOf(model: string, messages: readonly ModelMessage[]): Turn[] {
  const turns: Turn[] = [];
  const add = (role: Turn["role"], content: Block[]) => {
    if (content.length === 0) return;
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else turns.push({ role, content });
  };
  for (const message of messages) {
    if (message.role === "user") add("user", message.content.flatMap(userBlock));
    else if (message.role === "tool") add("user", message.results.map(resultBlock));
    else if (message.role === "assistant") add("assistant", assistantBlocks(model, message));
  }
  if (turns[0]?.role === "assistant") {
    turns.unshift({ role: "user", content: textBlock("[What was said before is left out.]") });
  }
  return turns;
}

function userBlock(part: ModelContent): Block[] {
  if (part.type === "text") return textBlock(part.text);
  const { name, mediaType, data } = part;
  const type = baseType(mediaType);
  const imageType = IMAGE_TYPES.find((each) => each === type);
  if (imageType !== undefined) {
    return [{ type: "image", source: { type: "base64", media_type: imageType, data: base64(data) } }];
  }
  if (type === "application/pdf") {
    return [{ type: "document", title: name, source: { type: "base64", media_type: type, data: base64(data) } }];
  }
  const text = attachedText(mediaType, data);
  if (text === undefined || text.trim() === "") return textBlock(unreadable(name, mediaType));
  return [{ type: "document", title: name, source: { type: "text", media_type: "text/plain", data: text } }];
}

function resultBlock({ toolCallId, content, isError }: ModelToolResult): Block {
  const text = content.trim() === "" && isError ? "It failed." : content.toWellFormed();
  return {
    type: "tool_result",
    tool_use_id: toolCallId,
    ...(text.trim() !== "" && { content: text }),
    ...(isError && { is_error: true }),
  };
}

/** Thoughts come only from the continuation: without a signature they are refused. A turn may not end with one. */
function assistantBlocks(model: string, message: Assistant): Block[] {
  const thinking = decodeContinuation(model, message.continuation);
  const said = message.content.flatMap((part): Block[] => {
    if (part.type === "reasoning") return [];
    return part.type === "text" ? textBlock(part.text) : [callBlock(part.toolCallId, part.name, part.args)];
  });
  return said.flatMap((block, index) => [
    ...thinking.flatMap((placed) => (placed.at === index ? placed.block : [])),
    block,
  ]);
}

const callBlock = (id: string, name: string, input: unknown): Block => ({ type: "tool_use", id, name, input });

/** Nothing for a blank text, which is refused. */
function textBlock(text: string): Anthropic.TextBlockParam[] {
  return text.trim() === "" ? [] : [{ type: "text", text: text.toWellFormed() }];
}

function thinkingConfig(kind: "adaptive" | "budget" | "none", turns: readonly Turn[]): Body["thinking"] | undefined {
  switch (kind) {
    case "adaptive":
      return { type: "adaptive", display: "summarized" };
    case "budget":
      return canThink(turns) ? { type: "enabled", budget_tokens: THINKING_BUDGET } : undefined;
    case "none":
      return undefined;
  }
}

/**
 * In the midst of a loop of tools, a model with a budget goes on thinking only if its last turn began with a thought: one
 * that another model wrote has none.
 */
function canThink(turns: readonly Turn[]): boolean {
  if (turns.at(-1)?.content[0]?.type !== "tool_result") return true;
  const first = turns.findLast((turn) => turn.role === "assistant")?.content[0]?.type;
  return first === "thinking" || first === "redacted_thinking";
}

/**
 * Four marks are allowed: the tools', the system's and the last two turns of the user, of which the older finds what the
 * request before has written.
 */
function markForCache(turns: readonly Turn[]): void {
  for (const turn of turns.filter(({ role }) => role === "user").slice(-2)) {
    const last = turn.content.at(-1);
    if (last === undefined) continue;
    if (last.type === "text" || last.type === "image" || last.type === "document" || last.type === "tool_result") {
      last.cache_control = CACHED;
    }
  }
}
