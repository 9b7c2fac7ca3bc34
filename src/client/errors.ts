import { isErrorCode, ParleyError } from "../protocol/errors.ts";
import type { ErrorFrame } from "../protocol/frames.ts";

/** The error of a frame, as the server threw it. A code this client does not know keeps its meaning for retries. */
export function errorOf({ error }: ErrorFrame): ParleyError {
  const { code, retryable, retryAfterMs, issues } = error.data ?? {};
  const known = isErrorCode(code) ? code : retryable === true ? "UNAVAILABLE" : "INTERNAL";
  return new ParleyError(known, {
    message: error.message,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(issues === undefined ? {} : { issues }),
  });
}

export const asParleyError = (error: unknown): ParleyError =>
  error instanceof ParleyError ? error : new ParleyError("INTERNAL", { cause: error });
