/**
 * One connection as the gateway sees it. Kept lean, as there are tens of thousands: whatever most of them do not need
 * is made when it is.
 *
 *   resuming ──▶ authenticated ──▶ ending ──▶ closed      resuming: its turn comes, its cookie is looked up
 *      │            ▲      │                    ▲         anonymous: 5 s to log in [W2]
 *      ▼            │      ▼ logout             │         ending: its session is over; what runs may still answer
 *   anonymous ──────┴── anonymous ──────────────┘
 */
import type { Connection } from "../ports/connection.ts";
import { encodeError } from "../protocol/codec.ts";
import { AUTH_DEADLINE_MS } from "../protocol/constants.ts";
import { CLOSE, ERRORS, type ErrorRow, ParleyError } from "../protocol/errors.ts";
import type { RequestId } from "../protocol/frames.ts";
import type { LiveSession, SessionEnd, SessionMember } from "../sessions/live-session.ts";
import { TokenBucket } from "../sessions/token-bucket.ts";
import type { GatewayCore } from "./core.ts";
import type { DeliveryLink } from "./delivery-types.ts";
import { ANONYMOUS_RATE, ENDING_MS, MAX_BUFFERED, MAX_LOGIN_ATTEMPTS } from "./limits.ts";
import type { RequestContext } from "./request-context.ts";

/** Deadlines are milliseconds of the gateway's clock. */
export type Phase =
  | {
      readonly kind: "resuming";
      readonly deadline: number;
      /** What it waits for first: see `Handshakes`. */
      readonly turn: () => void;
      readonly frames: string[];
      length: number;
    }
  | {
      readonly kind: "anonymous";
      readonly deadline: number;
      readonly bucket: TokenBucket;
      attempts: number;
      attempting: boolean;
    }
  | { readonly kind: "authenticated"; readonly live: LiveSession }
  | { readonly kind: "ending"; readonly deadline: number; readonly code: number; readonly reason: string }
  | { readonly kind: "closed" };

const CLOSED: Phase = { kind: "closed" };

export class Client implements SessionMember {
  readonly connection: Connection;
  readonly core: GatewayCore;
  phase: Phase = CLOSED;
  topics: DeliveryLink | undefined = undefined;
  /** Requests of this connection without an answer. */
  inFlight: Map<RequestId, RequestContext> | undefined = undefined;
  protocolErrors = 0;
  rateRefusals = 0;
  /** Which of the heartbeat's slots it is in. */
  slot = 0;

  constructor(connection: Connection, core: GatewayCore) {
    this.connection = connection;
    this.core = core;
  }

  get busy(): boolean {
    return (this.inFlight !== undefined && this.inFlight.size > 0) || this.connection.bufferedBytes > 0;
  }

  becomeAnonymous(): void {
    const now = this.core.clock.now();
    this.phase = {
      kind: "anonymous",
      deadline: now + AUTH_DEADLINE_MS,
      bucket: new TokenBucket(ANONYMOUS_RATE),
      attempts: 0,
      attempting: false,
    };
    this.core.watched.add(this);
  }

  becomeAuthenticated(live: LiveSession): void {
    this.phase = { kind: "authenticated", live };
    this.core.watched.delete(this);
  }

  /** One attempt to log in [W2]: one at a time, a few a connection. */
  async authenticate<T extends { readonly session: { readonly id: string } }>(
    attempt: () => Promise<T>,
    attach: (result: T) => LiveSession,
  ): Promise<T> {
    const phase = this.phase;
    if (phase.kind === "authenticated") throw new ParleyError("ALREADY_AUTHENTICATED");
    if (phase.kind !== "anonymous") throw new ParleyError("CANCELLED");
    if (phase.attempting || phase.attempts >= MAX_LOGIN_ATTEMPTS) {
      throw new ParleyError("RATE_LIMITED", {
        message: "One login at a time, and a few a connection. Open another connection.",
        retryAfterMs: 1000,
      });
    }
    phase.attempts++;
    phase.attempting = true;
    try {
      const result = await attempt();
      // The connection may have closed, or run out of time, meanwhile.
      if (this.phase !== phase) throw new ParleyError("CANCELLED");
      this.becomeAuthenticated(attach(result));
      return result;
    } finally {
      phase.attempting = false;
    }
  }

  /** Back to before the login. Its other requests end as cancelled: they spoke for the session. */
  leaveSession(keep: RequestContext): void {
    this.dropTopics();
    for (const context of this.inFlight?.values() ?? [])
      if (context !== keep) context.fail(new ParleyError("CANCELLED"));
    this.becomeAnonymous();
  }

  sessionEnded(end: SessionEnd): void {
    switch (end) {
      case "expired":
        return this.endAfterAnswers(CLOSE.AUTHENTICATION, "the session has expired");
      case "revoked":
        return this.endAfterAnswers(CLOSE.REVOKED, "the session was ended");
    }
  }

  /** Nothing more is read from it; it is closed when its last request has been answered, or soon. */
  endAfterAnswers(code: number, reason: string): void {
    if (this.phase.kind === "closed" || this.phase.kind === "ending") return;
    this.dropTopics();
    this.phase = { kind: "ending", code, reason, deadline: this.core.clock.now() + ENDING_MS };
    this.core.watched.add(this);
    this.answered();
  }

  /** A request was answered: was it the last that an ending connection waited for? */
  answered(): void {
    const phase = this.phase;
    if (phase.kind !== "ending" || (this.inFlight !== undefined && this.inFlight.size > 0)) return;
    this.connection.close(phase.code, phase.reason);
  }

  /** A typed error first, a close second [W11]. */
  violate(error: ParleyError, id: RequestId | null = null): void {
    const row: ErrorRow = ERRORS[error.code];
    this.send(encodeError(id, error));
    this.connection.close(row.close ?? CLOSE.PROTOCOL, error.code);
  }

  /** A response or a notification of the gateway's own. Goes to a lagging connection too, within reason [L7]. */
  send(frame: string): void {
    if (this.connection.send(frame) !== "buffered") return;
    if (this.connection.bufferedBytes > MAX_BUFFERED) this.connection.close(CLOSE.TOO_SLOW, "too slow");
    else this.topics?.notePressure();
  }

  /** The transport says that it is gone. */
  closed(): void {
    const phase = this.phase;
    this.phase = CLOSED;
    this.core.watched.delete(this);
    if (phase.kind === "authenticated") this.core.sessions.detach(phase.live, this);
    this.dropTopics();
    for (const context of this.inFlight?.values() ?? []) context.abandon();
    this.inFlight = undefined;
  }

  private dropTopics(): void {
    this.topics?.close();
    this.topics = undefined;
  }
}
