import { isIP } from "node:net";
import { lastHop } from "../gateway/http-headers.ts";

/** 4 or 16 bytes, as the kernel has it, in its one canonical text; an IPv4 address mapped into IPv6 is IPv4. */
export function addressText(bytes: Uint8Array): string {
  const mapped = bytes.length === 16 && bytes.every((byte, i) => i >= 12 || byte === (i < 10 ? 0 : 0xff));
  if (bytes.length === 4 || mapped) return [...bytes.subarray(-4)].join(".");
  if (bytes.length !== 16) return "";
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)).toString(16));
  // The URL parser writes IPv6 as RFC 5952 asks: shortest form, lower case.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/**
 * Whose request it is. Behind a trusted proxy that is the last hop of X-Forwarded-For, the one which the proxy itself
 * wrote; anything else in that header a client could have made up.
 */
export const remoteAddress = (socket: Uint8Array, forwardedFor: string, trustProxy: boolean): string =>
  forwardedAddress(forwardedFor, trustProxy) ?? addressText(socket);

/** The same where the socket's address is text already, as Node has it. */
export const socketAddress = (socket: string, forwardedFor: string, trustProxy: boolean): string =>
  forwardedAddress(forwardedFor, trustProxy) ?? socket.replace(/^::ffff:(?=\d+\.)/, "");

function forwardedAddress(forwardedFor: string, trustProxy: boolean): string | undefined {
  if (!trustProxy) return undefined;
  const hop = lastHop(forwardedFor);
  return isIP(hop) === 0 ? undefined : hop;
}
