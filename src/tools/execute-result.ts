/** What a tool answered, as JSON that every store and every model takes, no larger than the tool may. */

/** Room that the notice of a cut takes: no tool's limit is below. */
export const MIN_RESULT_BYTES = 256;

/**
 * A plain copy of `value`: what JSON has no word for is left out or null, U+0000 and lone surrogates are U+FFFD.
 * Larger than `maxBytes` of UTF-8, it is the beginning of its text (its JSON, unless it is a text) and a notice.
 * Throws where `JSON.stringify` does.
 */
export function encodeResult(value: unknown, maxBytes: number): unknown {
  const json = storable(JSON.stringify(value) ?? "null");
  const bytes = Buffer.byteLength(json);
  const plain: unknown = JSON.parse(json);
  if (bytes <= maxBytes) return plain;
  const text = typeof plain === "string" ? plain : json;
  const notice = `\n[Cut here. The whole result has ${bytes} bytes, and this tool may give ${maxBytes}.]`;
  // Two quotes, and the notice's line break is two bytes in JSON.
  return text.slice(0, fitting(text, maxBytes - Buffer.byteLength(notice) - 3)) + notice;
}

/** A text for people, of at most `max` UTF-16 units, that every store takes. */
export function plainText(text: string, max: number): string {
  const whole = text.length <= max ? text : `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
  return whole.replaceAll("\0", "\uFFFD").toWellFormed();
}

/** In what `JSON.stringify` writes, only U+0000 and lone surrogates are escaped like this; a backslash is `\\`. */
function storable(json: string): string {
  return json.includes("\\u")
    ? json.replace(/\\(u0000|ud[89a-f][0-9a-f]{2}|.)/g, (escape, name: string) => (name.length > 1 ? "\uFFFD" : escape))
    : json;
}

/** How many UTF-16 units of `text` take at most `maxBytes` in a JSON string; never half a surrogate pair. */
function fitting(text: string, maxBytes: number): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const pair = code >= 0xd800 && code <= 0xdbff;
    bytes += pair ? 4 : jsonBytes(code);
    if (bytes > maxBytes) return i;
    if (pair) i++;
  }
  return text.length;
}

function jsonBytes(code: number): number {
  if (code < 0x20) return 6;
  if (code === 0x22 || code === 0x5c) return 2;
  if (code < 0x80) return 1;
  return code < 0x800 ? 2 : 3;
}
