/**
 * How the other nodes are, as each says of itself at a place that all of them reach: Redis is one, the database another.
 * A node that is cut off from one of them hears at the other whether somebody else could serve its clients.
 *
 * - What a node said is believed by the clock of that place, and only while it is young.
 * - A node that says nothing any more is forgotten; its row stays an hour at the most.
 */
export interface Peers {
  /**
   * Says whether this node is fit to serve, and answers how many others said that they are, within `youngerThanMs`.
   * Rejects with UNAVAILABLE when the place can't be reached.
   */
  tell(fit: boolean, youngerThanMs: number): Promise<number>;
}

/** A node that was silent for so long is removed. */
export const FORGOTTEN_MS = 60 * 60_000;
