/** Why a socket did not open, which a browser does not tell a page. */

const PATIENCE_MS = 10_000;

/** Asks the server whether it accepts this page's origin. Rejects when it can't be asked. */
export async function refusesOrigin(server: URL): Promise<boolean> {
  const response = await fetch(new URL("embed/origin", server), {
    credentials: "omit",
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const answer: unknown = await response.json();
  return typeof answer === "object" && answer !== null && "allowed" in answer && answer.allowed === false;
}

/** Did the page's policy keep it from this server? What is only reported is no hindrance. */
export function policyForbids(
  { disposition, effectiveDirective, blockedURI }: SecurityPolicyViolationEvent,
  server: URL,
): boolean {
  if (disposition !== "enforce" || effectiveDirective !== "connect-src") return false;
  return URL.canParse(blockedURI) && new URL(blockedURI).host === server.host;
}
