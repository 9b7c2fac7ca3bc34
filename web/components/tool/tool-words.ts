/** What a tool call is called on its card: a verb phrase, in the tense of its status. */
import type { ToolArgs, ToolPart, ToolStatus } from "../../../src/protocol/shapes.ts";
import type { icons } from "../icons.ts";

type IconName = keyof typeof icons;

interface ToolWords {
  readonly icon: IconName;
  /** "Delete", "Deleting", "Deleted". */
  readonly forms: readonly [base: string, doing: string, done: string];
  /** What it is done to, after the verb. */
  readonly object: (args: ToolArgs) => string;
}

/** UTF-16 units of what a verb is followed by; the line ends before that. */
const MAX_OBJECT = 160;

/** The argument `name`, as one line. */
const arg =
  (name: string, before = "", after = "") =>
  (args: ToolArgs): string => {
    const value = args[name];
    if (typeof value !== "string" && typeof value !== "number") return "";
    const text = String(value).replaceAll(/\s+/g, " ").trim();
    return text === "" ? "" : ` ${before}${text.slice(0, MAX_OBJECT)}${after}`;
  };

const TOOLS: Readonly<Record<string, ToolWords>> = {
  clock: {
    icon: "clock",
    forms: ["Look at the clock", "Looking at the clock", "Looked at the clock"],
    object: arg("timeZone", "of "),
  },
  calculator: {
    icon: "calculator",
    forms: ["Calculate", "Calculating", "Calculated"],
    object: arg("expression"),
  },
  memory_save: { icon: "bookmark", forms: ["Remember", "Remembering", "Remembered"], object: arg("text", "“", "”") },
  memory_search: {
    icon: "search",
    forms: ["Look for memories", "Looking for memories", "Looked for memories"],
    object: arg("words", "of “", "”"),
  },
  memory_forget: { icon: "eraser", forms: ["Forget", "Forgetting", "Forgot"], object: arg("words", "“", "”") },
  plan: {
    icon: "list",
    forms: ["Update the plan", "Updating the plan", "Updated the plan"],
    object: () => "",
  },
  research: { icon: "book", forms: ["Research", "Researching", "Researched"], object: arg("topic") },
  file_delete: { icon: "trash", forms: ["Delete", "Deleting", "Deleted"], object: arg("name") },
};

/** `web_search`, `webSearch` and `web-search` are "web search". */
const spoken = (name: string): string =>
  name
    .replaceAll(/[_\-.:/]+/g, " ")
    .replaceAll(/([a-z\d])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
    .trim();

function wordsOf(name: string): ToolWords {
  if (Object.hasOwn(TOOLS, name)) return TOOLS[name] ?? unknownTool(name);
  return unknownTool(name);
}

function unknownTool(name: string): ToolWords {
  const tool = spoken(name) || "a tool";
  return { icon: "wrench", forms: [`Use ${tool}`, `Using ${tool}`, `Used ${tool}`], object: () => "" };
}

export function toolIcon(name: string): IconName {
  return wordsOf(name).icon;
}

export function toolPhrase({ name, args, status }: Pick<ToolPart, "name" | "args" | "status">): string {
  const { forms, object } = wordsOf(name);
  return forms[TENSES[status]] + object(args);
}

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

/** What is said of a status, and how much it matters. */
export interface StatusWords {
  readonly word: string;
  readonly icon: IconName;
  readonly tone: "calm" | "wait" | "bad";
}

export const STATUS_WORDS: Readonly<Record<ToolStatus, StatusWords>> = {
  streaming: { word: "Preparing", icon: "pencil", tone: "calm" },
  pending: { word: "Up next", icon: "clock", tone: "calm" },
  waiting: { word: "Waits for you", icon: "hand", tone: "wait" },
  running: { word: "Running", icon: "spinner", tone: "calm" },
  completed: { word: "Done", icon: "check", tone: "calm" },
  failed: { word: "Failed", icon: "alert", tone: "bad" },
  denied: { word: "Denied", icon: "ban", tone: "bad" },
  stopped: { word: "Stopped", icon: "stopped", tone: "calm" },
};
