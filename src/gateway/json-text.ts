/** How much room text takes as JSON in UTF-8. Frames are limited in bytes, positions count UTF-16 units. */

/** UTF-8 bytes of a value's JSON. */
export const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/**
 * The largest `end` for which `text.slice(from, end)` takes at most `maxBytes` between the quotes of a JSON string, and
 * is at most `maxUnits` long. Never inside a surrogate pair, so it can be `from` when not even one character fits.
 */
export function jsonFit(text: string, from: number, maxBytes: number, maxUnits = Infinity): number {
  const stop = Math.min(text.length, from + maxUnits);
  let bytes = 0;
  let at = from;
  while (at < stop) {
    const unit = text.charCodeAt(at);
    const pair = isHigh(unit) && isLow(text.charCodeAt(at + 1));
    const end = at + (pair ? 2 : 1);
    bytes += pair ? 4 : unitBytes(unit);
    if (bytes > maxBytes || end > stop) break;
    at = end;
  }
  return at;
}

/** Bytes that `JSON.stringify` makes of one UTF-16 unit that is not part of a surrogate pair. */
function unitBytes(unit: number): number {
  if (unit < 0x20) return unit === 8 || unit === 9 || unit === 10 || unit === 12 || unit === 13 ? 2 : 6;
  if (unit === 0x22 || unit === 0x5c) return 2;
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  return unit >= 0xd800 && unit <= 0xdfff ? 6 : 3;
}
