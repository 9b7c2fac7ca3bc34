/** The shapes of HTTP answers. A failure has the same data as on the socket [W7]. */
import type { HttpResponse } from "../ports/http.ts";
import type { ErrorRow, ParleyError } from "../protocol/errors.ts";

export const jsonAnswer = (
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store", ...headers },
  body: JSON.stringify(value),
});

/**
 * `{error: {message, code, retryable, …}}`, with the status of the error table unless HTTP has a closer one (405, 426).
 */
export function errorAnswer(
  error: ParleyError,
  status: number = (error.row satisfies ErrorRow).http,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const wait =
    error.retryAfterMs === undefined
      ? {}
      : { "retry-after": String(Math.max(1, Math.ceil(error.retryAfterMs / 1000))) };
  return jsonAnswer(status, { error: { message: error.message, ...error.data() } }, { ...wait, ...headers });
}
