import type { Scope, StoredSession } from "../ports/store.ts";
import type { TokenBucket } from "./token-bucket.ts";

/** `expired`: the store knows it no longer (4500). `revoked`: somebody ended it (4504). */
export type SessionEnd = "expired" | "revoked";

/** A connection that speaks for a session. */
export interface SessionMember {
  /** The session has ended. Called once, after the member was detached. */
  sessionEnded(end: SessionEnd): void;
}

/** A session as this process knows it: the stored row, shared by all connections that speak for it. */
export interface LiveSession {
  readonly tokenHash: string;
  readonly scope: Scope;
  /** All requests of the session, over all its connections here, draw on this [W11]. */
  readonly bucket: TokenBucket;
  /** Nearly always one. Replaced, never changed: a list that grew keeps room for sixteen more. */
  members: readonly SessionMember[];
  stored: StoredSession;
  ended: boolean;
  /** Milliseconds of the wall clock, as the store's expiry is. */
  expiresAt: number;
  /** When the store last said that it exists. */
  confirmedAt: number;
  /** When the expiry was last moved. */
  touchedAt: number;
}
