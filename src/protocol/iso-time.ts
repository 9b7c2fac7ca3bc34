let second = NaN;
let prefix = "";

/** ISO 8601 in UTC with milliseconds, as `Date.toISOString`; several times cheaper for times of the same second. */
export function isoTime(now: number = Date.now()): string {
  const itsSecond = Math.floor(now / 1000);
  if (itsSecond !== second) {
    prefix = new Date(itsSecond * 1000).toISOString().slice(0, -4);
    second = itsSecond;
  }
  const ms = now - itsSecond * 1000;
  return `${prefix}${ms < 10 ? "00" : ms < 100 ? "0" : ""}${ms}Z`;
}
