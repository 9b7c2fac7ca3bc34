/**
 * A connection is one transport endpoint: a bounded send queue, nothing else. A transport turns native I/O into
 * these calls; the gateway decides everything.
 *
 *   transport ── open(connection) ──────────────▶ gateway
 *             ── message(connection, text) ─────▶
 *             ── drain(connection) ─────────────▶
 *             ── close(connection, code) ───────▶   (exactly once, last)
 *   gateway   ── send / close ──────────────────▶ connection
 *
 * Contract (`test/contracts/connection.ts`):
 * - Frames arrive at the peer whole, in the order of `send`, or the connection closes.
 * - `send` never blocks, never throws and never calls the listener. After the close it answers "closed" and does
 *   nothing. A frame that would pass the hard limit is lost and the last one: "closed", and `close` 1006 in a later turn.
 * - `close` calls the listener's `close` before it returns, with the same code, unless that has been called already.
 * - Inside of `cork` a frame may be "sent" and yet be buffered when the cork ends: look at `bufferedBytes` then.
 * - `bufferedBytes` counts what the peer's kernel has not taken; `drain` follows when it has fallen.
 * - A text is copied before the callback returns: nothing native is kept across an await.
 * - A binary frame closes with 4501; a frame above the transport's own limit drops the connection.
 */
export type SendOutcome =
  /** Handed to the kernel. */
  | "sent"
  /** Kept in user memory until the peer reads; `drain` follows. */
  | "buffered"
  /** Nothing was sent: the connection is closed, or its hard limit was met and it is being closed. */
  | "closed";

export interface Connection {
  /** Unique in the process's life. */
  readonly id: string;
  /** For logs and limits; a proxy's address when behind one. */
  readonly remoteAddress: string;
  /** The session token of the cookie at the upgrade, if there was one. Never log it. */
  readonly cookieToken: string | undefined;
  /** The client's User-Agent, cut to 200 characters; "" when absent. */
  readonly userAgent: string;
  readonly bufferedBytes: number;

  /** One text frame. A Uint8Array is UTF-8 already, encoded once for many connections [L8]. */
  send(frame: string | Uint8Array): SendOutcome;
  /** Runs `write` so that its sends leave in one system call. */
  cork(write: () => void): void;
  /** Sends what is queued, then a close frame. Best effort: a full socket loses the code [W8]. Idempotent. */
  close(code: number, reason: string): void;
}

/** What a transport calls. None of these may throw; each returns at once. */
export interface ConnectionListener {
  open(connection: Connection): void;
  message(connection: Connection, text: string): void;
  drain(connection: Connection): void;
  /** `code` is 1006 where the peer vanished without a close frame. */
  close(connection: Connection, code: number): void;
}
