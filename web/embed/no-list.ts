/**
 * Stands in for store/organise.ts, search.ts and conversations.ts in the bundle for other sites (scripts/build.ts): an
 * element shows one conversation, and the store of the app asks no more than this of what lists them.
 */
import type * as organise from "../store/organise.ts";
import type * as search from "../store/search.ts";

export class Organiser implements Pick<organise.Organiser, "deletedElsewhere"> {
  deletedElsewhere(): void {}
}

export class ConversationSearch implements Pick<search.ConversationSearch, "clear"> {
  clear(): void {}
}

/** Never made: the store of an element has none. */
export class ConversationList {}
