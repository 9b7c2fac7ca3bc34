/** A conversation as a file: what the server has of it, page by page, with all that it cut. */
import type { Client } from "../../src/client/client.ts";
import { readWhole } from "../../src/client/read-rest.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type { Conversation, Message, Part } from "../../src/protocol/shapes.ts";
import { text } from "../text/text.ts";

export interface ExportedFile {
  readonly name: string;
  readonly mediaType: string;
  readonly content: string;
}

/** More would not fit the memory of a page, nor anybody's editor. */
const MOST_MESSAGES = 20_000;
const MOST_UNITS = 64 * 1024 * 1024;
const PAGE = 100;
const FORMAT = "parley.conversation";
/** Goes up when a reader of the old one could not read the new one. */
const VERSION = 1;

/** Markdown has the branch that is shown, JSON all of the tree. Rejects with a ParleyError. */
export async function exported(client: Client, id: string, format: "markdown" | "json"): Promise<ExportedFile> {
  const { conversation, messages } = await readAll(client, id);
  const name = fileName(conversation);
  return format === "json"
    ? { name: `${name}.json`, mediaType: "application/json", content: asJson(conversation, messages) }
    : { name: `${name}.md`, mediaType: "text/markdown", content: asMarkdown(conversation, messages) };
}

async function readAll(
  client: Client,
  conversationId: string,
): Promise<{ readonly conversation: Conversation; readonly messages: readonly Message[] }> {
  let messages: Message[] = [];
  let units = 0;
  let before: string | undefined;
  for (;;) {
    const place = before === undefined ? {} : { before };
    const page = await client.call("conversation.get", { conversationId, limit: PAGE, ...place });
    const whole: Message[] = [];
    for (const message of page.messages) {
      const read = await readWhole(client, message);
      units += JSON.stringify(read).length;
      whole.push(read);
    }
    messages = [...whole, ...messages];
    if (messages.length > MOST_MESSAGES || units > MOST_UNITS) {
      throw new ParleyError("FILE_TOO_LARGE", { message: text().conversations.tooLongToExport });
    }
    before = messages[0]?.id;
    if (!page.hasMore || before === undefined) return { conversation: page.conversation, messages };
  }
}

const asJson = (conversation: Conversation, messages: readonly Message[]): string =>
  `${JSON.stringify({ format: FORMAT, version: VERSION, exportedAt: new Date().toISOString(), conversation, messages }, null, 2)}\n`;

export function asMarkdown(conversation: Conversation, messages: readonly Message[]): string {
  const title = conversation.title || text().common.newConversation;
  const turns = branchOf(conversation.headMessageId, messages).map(
    (message) =>
      `## ${speaker(message)}\n\n${message.parts
        .map(partAsMarkdown)
        .filter((said) => said !== "")
        .join("\n\n")}`,
  );
  return `${[`# ${title}`, ...turns].join("\n\n")}\n`;
}

/** From the first message to `head`. */
export function branchOf(head: string | null, messages: readonly Message[]): readonly Message[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const branch: Message[] = [];
  const seen = new Set<string>();
  for (let at = head === null ? undefined : byId.get(head); at !== undefined; at = byId.get(at.parentId ?? "")) {
    if (seen.has(at.id)) break;
    seen.add(at.id);
    branch.push(at);
  }
  return branch.reverse();
}

function speaker({ role, author }: Message): string {
  switch (role) {
    case "user":
      return text().common.you;
    case "assistant":
      return author;
    case "system":
      return text().conversations.note;
  }
}

function partAsMarkdown(part: Part): string {
  switch (part.type) {
    case "text":
      return part.text.trim();
    case "reasoning":
      return part.text.trim().replace(/^/gm, "> ");
    case "file":
      return `*${part.name}* (${part.mediaType})`;
    case "tool": {
      const { name, args, result, error, status } = part;
      const told = { args, ...(result === undefined ? {} : { result }), ...(error === undefined ? {} : { error }) };
      return `**${name}** (${status})\n\n${fenced(JSON.stringify(told, null, 2))}`;
    }
  }
}

/** In a fence that nothing inside can close. */
function fenced(code: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}json\n${code}\n${fence}`;
}

/** What every file system takes. */
export const fileName = ({ title }: Pick<Conversation, "title">): string =>
  title
    .replaceAll(/[\p{Cc}\p{Cf}\\/:*?"<>|]+/gu, " ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .replace(/^[.\s]+/, "")
    .slice(0, 80)
    .toWellFormed()
    .trim() || "conversation";

export function download({ name, mediaType, content }: ExportedFile): void {
  const url = URL.createObjectURL(new Blob([content], { type: `${mediaType};charset=utf-8` }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
