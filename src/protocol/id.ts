/** Random bytes for so many ids are made at once: asking for them costs more than they do. */
const IDS = 64;
const RANDOM_BYTES = 8;

const random = new Uint8Array(IDS * RANDOM_BYTES);
let used = random.length;
let last = -1;
let count = 0;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const hex = (byte: number | undefined): string => HEX[(byte ?? 0) & 0xff] ?? "";

/**
 * A UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, 12 that count on within a millisecond from where chance puts
 * them (§6.2, method 1), then 62 random ones. Ids made later sort later; in one process also those of one millisecond,
 * two thousand of them at least. Works in insecure browser contexts, where `crypto.randomUUID` is missing.
 */
export function uuidv7(now: number = Date.now()): string {
  if (used === random.length) {
    globalThis.crypto.getRandomValues(random);
    used = 0;
  }
  const at = used;
  used += RANDOM_BYTES;
  if (now === last) {
    count = (count + 1) & 0xfff;
  } else {
    last = now;
    count = (((random[at] ?? 0) << 3) | ((random[at + 1] ?? 0) & 0x07)) & 0x7ff;
  }
  const time = Math.floor(now).toString(16).padStart(12, "0");
  return (
    `${time.slice(0, 8)}-${time.slice(8)}-${hex(0x70 | (count >> 8))}${hex(count)}-` +
    `${hex(0x80 | ((random[at] ?? 0) & 0x3f))}${hex(random[at + 1])}-` +
    hex(random[at + 2]) +
    hex(random[at + 3]) +
    hex(random[at + 4]) +
    hex(random[at + 5]) +
    hex(random[at + 6]) +
    hex(random[at + 7])
  );
}
