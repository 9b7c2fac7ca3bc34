/** When a provider says to come back: `retry-after-ms`, else `Retry-After` as seconds or as an HTTP date (RFC 9110). */

/** Milliseconds from `now` on, not negative; undefined when the headers say nothing understandable. */
export function retryAfterMs(headers: Pick<Headers, "get"> | undefined, now = Date.now()): number | undefined {
  const exact = amount(headers?.get("retry-after-ms"));
  if (exact !== undefined) return exact;
  const value = headers?.get("retry-after")?.trim();
  if (!value) return undefined;
  const seconds = amount(value);
  if (seconds !== undefined) return Math.round(seconds * 1000);
  // `Date.parse` takes almost anything for a date, "-5" too.
  const date = /[A-Za-z]{3}/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function amount(value: string | null | undefined): number | undefined {
  return value && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : undefined;
}
