/** What the element tells its page. All bubble, and cross shadow roots. */
import type { User } from "../../src/protocol/shapes.ts";

/** Codes of the protocol's errors, and what only an element meets. */
export type ChatErrorCode = string;

export interface ChatEvents {
  /** Somebody is signed in, and the element is ready to be used. Again after each time that it was not. */
  readonly "parley-ready": { readonly user: User };
  /** There is no connection, and why. `retries`: it is tried again by itself. */
  readonly "parley-error": { readonly code: ChatErrorCode; readonly message: string; readonly retries: boolean };
  /** Another conversation is shown; null: the beginning of a new one. */
  readonly "parley-conversation": { readonly id: string | null };
}

export const chatEvent = <Name extends keyof ChatEvents>(name: Name, detail: ChatEvents[Name]): CustomEvent =>
  new CustomEvent(name, { detail, bubbles: true, composed: true });
