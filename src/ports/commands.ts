/**
 * What the nodes of a cluster tell each other, so that something happens at once which would happen anyway.
 *
 *   node A ── publish ──▶ every other node ── listener ──▶ its engine, its sessions
 *
 * - Best effort: a command may be lost, doubled, or come late. The database is the truth of each of them, and finds
 *   what was lost: a stop by the renewal of leases, a wake by the poll for runs, a revocation by the look at sessions
 *   and links.
 * - A node never hears its own commands: it has done the same to itself, without a detour.
 * - During a deploy nodes of two versions talk; one that does not know a command ignores it.
 */
export type NodeCommand =
  /** A session was ended: its connections are closed, and it is believed no longer. */
  | { readonly kind: "session.revoked"; readonly sessionId: string }
  /** A link to a conversation was revoked: nobody reads by it any more. */
  | { readonly kind: "share.revoked"; readonly shareId: string }
  /** The row of a run says stop. Whoever owns it stops it. */
  | { readonly kind: "run.stop"; readonly runId: string }
  /** There is a run to be claimed, which the sender can't take. */
  | { readonly kind: "run.wake" };

export interface CommandChannel {
  /** To all other nodes. Returns at once and never throws; what can't be sent is dropped. */
  publish(command: NodeCommand): void;
  /** Calls back with the commands of others; it must not throw. Returns the way to stop. */
  listen(listener: (command: NodeCommand) => void): () => void;
  /**
   * Calls back when this node hears again after it did not, the first time included: commands may have been missed.
   * Returns the way to stop.
   */
  onMissed(listener: () => void): () => void;
  /** Idempotent. Nothing is called afterwards. */
  close(): Promise<void>;
}
