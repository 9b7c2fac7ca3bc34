/** The hash by which a Redis Cluster spreads its keys: CRC16 (XMODEM) of the key, or of what stands in its first {…}. */
const SLOTS = 16_384;

/** Of UTF-8 bytes, as the server counts. */
export function crc16(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

/** The slot of a key or of a shard channel. */
export function slotOf(key: string): number {
  const open = key.indexOf("{");
  const close = key.indexOf("}", open + 1);
  return crc16(open >= 0 && close > open + 1 ? key.slice(open + 1, close) : key) % SLOTS;
}

/** In which of so many buckets something lies: FNV-1a over UTF-16 units. Changing it loses every topic. */
export function bucketOf(name: string, buckets: number): number {
  if (buckets === 1) return 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % buckets;
}
