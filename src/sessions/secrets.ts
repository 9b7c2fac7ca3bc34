import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** A secret that nobody guesses, in characters that need no escaping in a URL, a cookie or JSON. */
export const newSecret = (bytes = 32): string => randomBytes(bytes).toString("base64url");

/** What is stored instead of a secret: a copy of the table opens no session. Hex. */
export const hashSecret = (secret: string): string => createHash("sha256").update(secret).digest("hex");

/** Compares in a time that tells nothing about where, or by how much, they differ: both are hashed first. */
export function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
