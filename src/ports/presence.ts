/**
 * Who looks at a topic now [L10]. Every node hears every change; nothing of it is in the log or in the database.
 *
 * - A member is there until it is removed, or until its time is over since it was last named: whoever stays is named again.
 * - Best effort: a change may be lost. The list is the truth, and who reads it again has missed nothing that lasts.
 * - No list names a member whose time is over. That it is gone is told when its topic is next touched, if at all.
 * - A topic has at most `MAX_PRESENT` members; one more is refused, one that is there is not.
 *
 * What can't be reached rejects with UNAVAILABLE.
 */
import type { PresenceChange, PresenceMember } from "../protocol/shapes.ts";

export interface Presence {
  /** Milliseconds for which a member is believed. */
  readonly ttlMs: number;
  /** Puts it in, or names it again. All who are there then, in no order; null when there are too many already. */
  update(topic: string, member: PresenceMember): Promise<readonly PresenceMember[] | null>;
  /** Nothing happens when it is not there. */
  remove(topic: string, memberId: string): Promise<void>;
  list(topic: string): Promise<readonly PresenceMember[]>;
  /**
   * Calls back with the changes of all topics, this node's own among them: a member that came, has another state, or is
   * gone. To be named again as one is no change. Returns the way to stop.
   */
  listen(listener: (topic: string, change: PresenceChange) => void): () => void;
  /** Idempotent. Nothing is called afterwards. */
  close(): void;
}

/** Members of one topic. */
export const MAX_PRESENT = 100;
/** A client that is there says so about three times within it. */
export const PRESENCE_TTL_MS = 30_000;
