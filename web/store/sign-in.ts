/** Getting and ending the session's cookie, which only HTTP can set [W2]. */
import type { ErrorData } from "../../src/protocol/errors.ts";

export type SignInFailure =
  /** The code or token was refused. */
  | { readonly kind: "refused" }
  | { readonly kind: "too-often"; readonly retryAfterMs: number | undefined }
  | { readonly kind: "origin" }
  /** The server could not be reached, or could not answer now. */
  | { readonly kind: "unreachable" };

type Credential = { readonly code: string } | { readonly token: string };

const PATH = "/auth/session";
const PATIENCE_MS = 15_000;

/** Undefined: signed in. */
export async function signIn(credential: Credential): Promise<SignInFailure | undefined> {
  try {
    const response = await fetch(PATH, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(credential),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return response.ok ? undefined : failureOf((await response.json()) as object);
  } catch {
    return { kind: "unreachable" };
  }
}

/** Resolves when the server has ended it; rejects when that is not known. */
export async function signOut(): Promise<void> {
  const response = await fetch(PATH, { method: "DELETE", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw new Error(`${PATH} answered ${response.status}`);
}

function failureOf(body: object): SignInFailure {
  const { code, retryAfterMs } = (body as { readonly error?: Partial<ErrorData> }).error ?? {};
  if (code === "AUTH_FAILED" || code === "INVALID_PARAMS") return { kind: "refused" };
  if (code === "RATE_LIMITED") return { kind: "too-often", retryAfterMs };
  return { kind: code === "ORIGIN_REFUSED" ? "origin" : "unreachable" };
}
