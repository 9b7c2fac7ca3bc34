/**
 * Stands in for what only the app has, in the bundle for other sites (scripts/build.ts): lists of conversations, links to
 * them, files, and signing in by cookie. It is as much of it as the store of an element asks for.
 */
import type * as attachments from "../store/attachments.ts";
import type * as organise from "../store/organise.ts";
import type * as search from "../store/search.ts";
import type * as signing from "../store/sign-in.ts";

export class Organiser implements Pick<organise.Organiser, "deletedElsewhere"> {
  deletedElsewhere(): void {}
}

export class ConversationSearch implements Pick<search.ConversationSearch, "clear"> {
  clear(): void {}
}

type UsedOfAttachments = "of" | "add" | "restore" | "ready" | "take" | "uploading" | "clear";

export class Attachments implements Pick<attachments.Attachments, UsedOfAttachments> {
  of = () => [];
  ready = () => [];
  take = () => [];
  uploading = () => false;
  add(): void {}
  restore(): void {}
  clear(): void {}
}

/** Never made: the store of an element has none. */
export class ConversationList {}
export class SharedConversation {}

/** Nobody asks for these either: an element's login is its page's. */
export const signIn: typeof signing.signIn = () => Promise.resolve({ kind: "refused" });
export const signOut: typeof signing.signOut = () => Promise.resolve();
