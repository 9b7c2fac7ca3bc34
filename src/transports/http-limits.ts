/** What both transports are told, and where they stop reading and waiting. */
import type { HttpRoute } from "../ports/http.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import { ParleyError } from "../protocol/errors.ts";

export interface HttpLimits {
  /** A body that has not arrived by then is answered 408. */
  readonly bodyMs: number;
  /** A route that has not answered by then is answered for, 504. */
  readonly handleMs: number;
}

export const HTTP_LIMITS: HttpLimits = { bodyMs: 10_000, handleMs: 30_000 };

export interface HttpOptions {
  readonly routes: readonly HttpRoute[];
  readonly trustProxy: boolean;
  readonly limits: HttpLimits;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface SocketOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Believe X-Forwarded-For and X-Forwarded-Proto. */
  readonly trustProxy: boolean;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly http?: HttpLimits;
  /** See `IDLE_SECONDS`; a multiple of 4, at least 8. */
  readonly idleSeconds?: number;
}

/** Statuses whose answer has no body and no Content-Length. */
export const BODILESS: ReadonlySet<number> = new Set([204, 304]);

export const tooLarge = (route: HttpRoute): ParleyError =>
  new ParleyError("FRAME_TOO_LARGE", {
    message:
      route.maxBody === 0
        ? "This address takes no request body."
        : `The request's body is larger than ${route.maxBody} bytes.`,
  });
