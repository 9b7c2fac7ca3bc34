import { MAX_DEPTH, MAX_EVENT, MAX_FRAME_IN, MAX_FRAME_IN_ANONYMOUS, MAX_FRAME_OUT } from "../protocol/constants.ts";
import type { Limits } from "../protocol/frames.ts";
import type { Rate } from "../sessions/token-bucket.ts";

/** The limits that an operator sets; the rest of [W11] is the protocol's. */
export interface GatewayLimits {
  readonly connections: number;
  /** Connections that are greeted in a second. */
  readonly handshakesPerSecond: number;
  readonly inFlight: number;
  readonly subscriptions: number;
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
}

export const DEFAULT_LIMITS: GatewayLimits = {
  connections: 50_000,
  handshakesPerSecond: 500,
  inFlight: 64,
  subscriptions: 100,
  requestsPerSecond: 600,
  requestBurst: 1200,
};

/** What `hello` says. */
export const wireLimits = (limits: GatewayLimits): Limits => ({
  frameIn: MAX_FRAME_IN,
  frameInAnonymous: MAX_FRAME_IN_ANONYMOUS,
  frameOut: MAX_FRAME_OUT,
  event: MAX_EVENT,
  depth: MAX_DEPTH,
  inFlight: limits.inFlight,
  subscriptions: limits.subscriptions,
  requestsPerSecond: limits.requestsPerSecond,
  requestBurst: limits.requestBurst,
});

/** Requests of a connection that has not logged in. */
export const ANONYMOUS_RATE: Rate = { perSecond: 10, burst: 30 };

/** Frames, and UTF-16 units of them, that wait while a cookie is looked up. */
export const MAX_WAITING_FRAMES = 32;
export const MAX_WAITING_LENGTH = 256 * 1024;

/** Broken frames that a connection may send before it is closed 4501. */
export const MAX_PROTOCOL_ERRORS = 10;
/** Requests in a row that were refused for their rate before the connection is closed 4029. */
export const MAX_RATE_REFUSALS = 1000;
/** Attempts to log in on one connection; a refused one ends it anyway. */
export const MAX_LOGIN_ATTEMPTS = 10;

/** Buffered bytes above which even a response has no place: closed 4008 [L7]. */
export const MAX_BUFFERED = 1024 * 1024;

/** A request that is not answered by then is answered TIMEOUT. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** The look-up of a cookie at the upgrade. */
export const COOKIE_TIMEOUT_MS = 3_000;
/** Requests that still run when their session is ended may answer for this long. */
export const ENDING_MS = 1_000;

/** Is a text longer than that many bytes of UTF-8? Counts only when its length does not tell. */
export const exceedsBytes = (text: string, limit: number): boolean =>
  text.length > limit || (text.length * 3 > limit && Buffer.byteLength(text) > limit);
