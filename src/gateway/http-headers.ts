/** Headers of every HTTP answer, errors and refused upgrades included; a route's own header of that name wins. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CSP,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** The name of the session's cookie, at the upgrade and over HTTP. */
export const SESSION_COOKIE = "parley_session";

/**
 * `Set-Cookie` for a session; a `maxAgeSeconds` of 0 takes it away. No Domain: only this host gets it. `secure` as
 * `isHttps` says: a Secure cookie of a plain http page would be dropped by the browser.
 */
export const sessionCookie = (token: string, maxAgeSeconds: number, secure: boolean): string =>
  `${SESSION_COOKIE}=${token}; Path=/; Max-Age=${Math.max(0, Math.floor(maxAgeSeconds))}; HttpOnly; SameSite=Strict` +
  (secure ? "; Secure" : "");

/** A cookie's value in a Cookie header, as sent; undefined when it is not there or empty. The first of a name wins. */
export function cookieValue(header: string, name: string): string | undefined {
  for (let start = 0; start < header.length;) {
    const semicolon = header.indexOf(";", start);
    const end = semicolon === -1 ? header.length : semicolon;
    while (header.charCodeAt(start) === 32) start++;
    if (header.startsWith(name, start) && header[start + name.length] === "=") {
      const value = header.slice(start + name.length + 1, end).trim();
      return value === "" ? undefined : value;
    }
    start = end + 1;
  }
  return undefined;
}

/** Did the browser speak TLS? Only a trusted proxy can tell: this server itself speaks plain HTTP. */
export const isHttps = (headers: ReadonlyMap<string, string>, trustProxy: boolean): boolean =>
  trustProxy && lastHop(headers.get("x-forwarded-proto") ?? "").toLowerCase() === "https";

/** The last value of a list header: the one that the nearest proxy wrote, so that a client can't choose it. */
export const lastHop = (list: string): string => list.slice(list.lastIndexOf(",") + 1).trim();
