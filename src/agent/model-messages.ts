/**
 * What a model reads: the branch of the conversation, and of the answer that is being written what was said and done
 * so far. Trimmed from its oldest end to what the model takes.
 */
import { estimateTokenCount } from "tokenx";
import type { FileStore } from "../ports/files.ts";
import type { ModelContent, ModelMessage, ModelToolResult } from "../ports/model.ts";
import type { StoredStep } from "../ports/store.ts";
import type { FilePart, Message, Part, ToolPart } from "../protocol/shapes.ts";

/** Where a model does not say how much it reads. */
const DEFAULT_CONTEXT = 128_000;
/** Of the context, left for the answer, and for what an estimate misses. */
const RESERVED = 0.25;
/** What an image or a document of any size is counted as. */
const FILE_TOKENS = 1_500;
/** Bytes of files in one request. */
const MAX_FILE_BYTES = 20 * 1024 * 1024;

const INSTRUCTIONS = [
  "You are a helpful assistant in a chat. Answer in the language of the person, in markdown.",
  "Use a tool where it helps; never pretend that you used one. If a tool fails or is denied, say so plainly.",
].join(" ");

export interface Reading {
  readonly transcript: readonly Message[];
  /** The answer so far. */
  readonly messageId: string;
  readonly parts: readonly Part[];
  readonly steps: readonly Pick<StoredStep, "answer" | "continuation">[];
  readonly contextTokens: number | undefined;
  readonly files: Pick<FileStore, "get">;
  /** The bytes of a file can't be had just now. */
  readonly onUnread: (error: unknown) => void;
}

/** One message of the transcript as the model gets it: an answer with tools is several. */
type Turn = readonly ModelMessage[];

export async function modelMessages(reading: Reading): Promise<readonly ModelMessage[]> {
  const { transcript, messageId, parts, steps, contextTokens = DEFAULT_CONTEXT } = reading;
  const loaded = await loadFiles(transcript, reading);
  const past = transcript.map((message): Turn => {
    switch (message.role) {
      case "user":
        return userTurn(message, loaded);
      case "assistant":
        return answerTurn(message.parts, []);
      case "system":
        return [{ role: "system", text: textOf(message.parts) }];
    }
  });
  const own = answerTurn(
    parts,
    steps.filter(({ answer }) => answer?.messageId === messageId),
  );
  const system: ModelMessage = { role: "system", text: INSTRUCTIONS };
  return [system, ...trimmed(past, own, contextTokens * (1 - RESERVED)), ...own];
}

/** As a model takes them that sees pictures or does not; of one that does not say it is believed that it does. */
export function asTaken(messages: readonly ModelMessage[], images: boolean | undefined): readonly ModelMessage[] {
  if (images !== false) return messages;
  return messages.map((message) => {
    if (message.role !== "user" || !message.content.some(({ type }) => type === "image")) return message;
    return { ...message, content: message.content.map(unseen) };
  });
}

const unseen = (part: ModelContent): ModelContent =>
  part.type === "image"
    ? { type: "text", text: `[A picture, ${part.name}, is attached here. This model can't see pictures.]` }
    : part;

/** The newest turns that fit beside the answer so far; the question always does. */
function trimmed(past: readonly Turn[], own: Turn, budget: number): readonly ModelMessage[] {
  // Looking closer at every word takes a while, and most conversations fit whatever comes of it.
  const most = [...past, own].reduce((sum, turn) => sum + tokensOf(turn, atMost), 0);
  const count = most <= budget ? atMost : estimateTokenCount;
  let room = budget - tokensOf(own, count);
  const kept: Turn[] = [];
  for (const turn of past.toReversed()) {
    room -= tokensOf(turn, count);
    if (room < 0 && kept.length > 0) break;
    kept.push(turn);
  }
  // An answer without its question would be no conversation.
  while (kept.length > 1 && kept.at(-1)?.[0]?.role !== "user") kept.pop();
  return kept.toReversed().flat();
}

/** No estimate is higher: a symbol of one UTF-16 unit may be counted as two tokens. */
const atMost = (text: string): number => 2 * text.length;

function tokensOf(turn: Turn, count: (text: string) => number): number {
  let tokens = 0;
  for (const message of turn) {
    tokens += 4;
    switch (message.role) {
      case "system":
        tokens += count(message.text);
        break;
      case "user":
        for (const part of message.content) {
          tokens += part.type === "text" ? count(part.text) : FILE_TOKENS;
        }
        break;
      case "assistant":
        for (const part of message.content) {
          tokens += count(part.type === "tool-call" ? JSON.stringify(part.args) : part.text);
        }
        break;
      case "tool":
        for (const { content } of message.results) tokens += count(content);
    }
  }
  return tokens;
}

function userTurn({ parts }: Message, files: LoadedFiles): Turn {
  const content = parts.flatMap((part): ModelContent[] => {
    if (part.type === "text") return part.text === "" ? [] : [{ type: "text", text: part.text }];
    if (part.type !== "file") return [];
    const { name, mediaType, fileId } = part;
    const data = files.get(fileId);
    if (typeof data !== "object") return [{ type: "text", text: `[The file ${name} ${ABSENT[data ?? "old"]}` }];
    return [{ type: mediaType.startsWith("image/") ? "image" : "file", mediaType, name, data }];
  });
  return content.length === 0 ? [] : [{ role: "user", content }];
}

/** One assistant message for each call of the model, each followed by what its tools answered. */
function answerTurn(parts: readonly Part[], steps: Reading["steps"]): Turn {
  return groupsOf(parts, steps).flatMap(({ said, continuation }): ModelMessage[] => {
    const calls = said.filter((part) => part.type === "tool");
    const content = said.flatMap((part): Extract<ModelMessage, { readonly role: "assistant" }>["content"] => {
      switch (part.type) {
        case "text":
        case "reasoning":
          return part.text === "" ? [] : [{ type: part.type, text: part.text }];
        case "tool":
          return [{ type: "tool-call", toolCallId: part.toolCallId, name: part.name, args: part.args }];
        case "file":
          return [];
      }
    });
    if (content.length === 0) return [];
    const answer: ModelMessage = {
      role: "assistant",
      content,
      ...(continuation === undefined ? {} : { continuation }),
    };
    return calls.length === 0 ? [answer] : [answer, { role: "tool", results: calls.map(resultOf) }];
  });
}

interface Group {
  readonly said: Part[];
  readonly continuation?: unknown;
}

/**
 * By the steps that wrote them; where those are not known (an answer of an earlier run), a call of the model ends where
 * words follow a tool.
 */
function groupsOf(parts: readonly Part[], steps: Reading["steps"]): Group[] {
  const groups: Group[] = [];
  let rest = 0;
  for (const { answer, continuation } of steps) {
    if (answer === undefined) continue;
    groups.push({ said: parts.slice(answer.from, answer.to), continuation });
    rest = answer.to;
  }
  let group: Part[] = [];
  for (const part of parts.slice(rest)) {
    if (part.type !== "tool" && group.at(-1)?.type === "tool") {
      groups.push({ said: group });
      group = [];
    }
    group.push(part);
  }
  if (group.length > 0) groups.push({ said: group });
  return groups;
}

function resultOf({ toolCallId, name, status, result, error }: ToolPart): ModelToolResult {
  if (status === "completed") return { toolCallId, name, content: JSON.stringify(result ?? null), isError: false };
  return {
    toolCallId,
    name,
    content: error ?? "It was interrupted and has no result.",
    isError: true,
    ...(status === "stopped" && { stopped: true }),
  };
}

const textOf = (parts: readonly Part[]): string =>
  parts.map((part) => (part.type === "text" ? part.text : "")).join("");

/** Bytes, or why there are none. */
type LoadedFiles = ReadonlyMap<string, Uint8Array | "gone" | "unread">;

const ABSENT = {
  gone: "is not there any more.]",
  unread: "can't be read just now.]",
  old: "was attached here; newer files left no room for it.]",
} as const;

/** The newest files first, as many as fit one request. When one can't be read the older ones are not tried. */
async function loadFiles(
  transcript: readonly Message[],
  { files, onUnread }: Pick<Reading, "files" | "onUnread">,
): Promise<LoadedFiles> {
  const loaded = new Map<string, Uint8Array | "gone" | "unread">();
  let room = MAX_FILE_BYTES;
  let away = false;
  const wanted = transcript
    .filter(({ role }) => role === "user")
    .flatMap(({ parts }) => parts)
    .filter((part): part is FilePart => part.type === "file");
  for (const { fileId, size } of wanted.toReversed()) {
    if (size > room || loaded.has(fileId)) continue;
    try {
      const bytes = away ? "unread" : ((await files.get(fileId, size)) ?? "gone");
      loaded.set(fileId, bytes);
      if (typeof bytes === "object") room -= bytes.length;
    } catch (error) {
      away = true;
      loaded.set(fileId, "unread");
      onUnread(error);
    }
  }
  return loaded;
}
