/** What a tool call is called on its card: a verb phrase, in the tense of its status. */
import type { ToolPart, ToolStatus } from "../../../src/protocol/shapes.ts";
import { type Text, text } from "../../text/text.ts";
import type { icons } from "../icons.ts";

type IconName = keyof typeof icons;

/** UTF-16 units of what something is done to; the line ends before that. */
const MAX_OBJECT = 160;

type Known = Exclude<keyof Text["tool"]["phrases"], "unknown">;

/** Its icon, and the argument that it does something to. */
const TOOLS: Readonly<Record<Known, { readonly icon: IconName; readonly object?: string }>> = {
  clock: { icon: "clock", object: "timeZone" },
  calculator: { icon: "calculator", object: "expression" },
  memory_save: { icon: "bookmark", object: "text" },
  memory_search: { icon: "search", object: "words" },
  memory_forget: { icon: "eraser", object: "words" },
  plan: { icon: "list" },
  research: { icon: "book", object: "topic" },
  file_delete: { icon: "trash", object: "name" },
};

const isKnown = (name: string): name is Known => Object.hasOwn(TOOLS, name);

/** As one short line; "" of what is no text. */
function oneLine(value: unknown): string {
  if (typeof value !== "string" && typeof value !== "number") return "";
  return String(value).replaceAll(/\s+/g, " ").trim().slice(0, MAX_OBJECT);
}

/** `web_search`, `webSearch` and `web-search` are "web search". */
const spoken = (name: string): string =>
  name
    .replaceAll(/[_\-.:/]+/g, " ")
    .replaceAll(/([a-z\d])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
    .trim();

export const toolIcon = (name: string): IconName => (isKnown(name) ? TOOLS[name].icon : "wrench");

export function toolPhrase({ name, args, status }: Pick<ToolPart, "name" | "args" | "status">): string {
  const { phrases } = text().tool;
  if (!isKnown(name)) return phrase(phrases.unknown, status, spoken(name));
  const { object } = TOOLS[name];
  return phrase(phrases[name], status, object === undefined ? "" : oneLine(args[object]));
}

function phrase(forms: Text["tool"]["phrases"]["unknown"], status: ToolStatus, object: string): string {
  const tense = TENSES[status];
  return object === "" ? (forms.alone[tense] ?? "") : (forms.to[tense] ?? "").replace("#", () => object);
}

/** Of the forms: to be done, being done, done. */
const TENSES: Readonly<Record<ToolStatus, 0 | 1 | 2>> = {
  streaming: 1,
  pending: 0,
  waiting: 0,
  running: 1,
  completed: 2,
  failed: 0,
  denied: 0,
  stopped: 0,
};

/** How a status looks, and how much it matters. */
interface StatusLook {
  readonly icon: IconName;
  readonly tone: "calm" | "wait" | "bad";
}

export const STATUS_LOOKS: Readonly<Record<ToolStatus, StatusLook>> = {
  streaming: { icon: "pencil", tone: "calm" },
  pending: { icon: "clock", tone: "calm" },
  waiting: { icon: "hand", tone: "wait" },
  running: { icon: "spinner", tone: "calm" },
  completed: { icon: "check", tone: "calm" },
  failed: { icon: "alert", tone: "bad" },
  denied: { icon: "ban", tone: "bad" },
  stopped: { icon: "stopped", tone: "calm" },
};
