import type { z } from "zod";
import { basicMethods } from "./methods/basics.ts";
import { chatMethods } from "./methods/chat.ts";
import { conversationMethods } from "./methods/conversation.ts";
import { folderMethods } from "./methods/folder.ts";
import { insightsMethods } from "./methods/insights.ts";
import { presenceMethods } from "./methods/presence.ts";
import { promptMethods } from "./methods/prompt.ts";
import { sessionMethods } from "./methods/session.ts";
import { shareMethods } from "./methods/share.ts";
import { topicMethods } from "./methods/topic.ts";

/** Every method: the schema of its params and of its result [W1]. */
export const METHODS = {
  ...basicMethods,
  ...promptMethods,
  ...sessionMethods,
  ...topicMethods,
  ...presenceMethods,
  ...conversationMethods,
  ...folderMethods,
  ...shareMethods,
  ...chatMethods,
  ...insightsMethods,
} as const;

export type MethodName = keyof typeof METHODS;
/** What a caller may send. */
export type ParamsInput<M extends MethodName> = z.input<(typeof METHODS)[M]["params"]>;
/** What a handler gets: validated and normalised. */
export type Params<M extends MethodName> = z.output<(typeof METHODS)[M]["params"]>;
export type Result<M extends MethodName> = z.output<(typeof METHODS)[M]["result"]>;

export const isMethod = (name: string): name is MethodName => Object.hasOwn(METHODS, name);
