/** The errors of providers, in sentences that may be shown to a person. */
import { ModelError, type ModelErrorKind } from "../ports/model.ts";

export interface ProviderFailure {
  readonly kind: ModelErrorKind;
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  /** The provider's own words; told only where they help a person and can't speak of the key. */
  readonly words?: string | undefined;
  readonly cause?: unknown;
}

const SENTENCES: Readonly<Record<ModelErrorKind, string>> = {
  throttle: "gets too many requests just now",
  overload: "is overloaded or out of order",
  transport: "did not answer as it should",
  stall: "has gone silent",
  auth: "does not accept the key",
  billing: "has no credit left for this key",
  context: "can't read so long a conversation",
  content: "declined for its content rules",
  request: "did not accept the request",
};
const TELLS_WORDS: ReadonlySet<ModelErrorKind> = new Set(["request", "context", "content"]);
const MAX_WORDS = 200;

/** `provider` as people write it: "Anthropic". */
export function providerError(provider: string, failure: ProviderFailure): ModelError {
  const { kind, status, retryAfterMs, words, cause } = failure;
  const told = words !== undefined && TELLS_WORDS.has(kind) ? presentable(words) : "";
  return new ModelError(kind, `${provider} ${SENTENCES[kind]}${told === "" ? "." : `: ${told}`}`, {
    ...(status !== undefined && { status }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(cause !== undefined && { cause }),
  });
}

/** One line, no address, nothing that looks like a key, cut to a length. */
function presentable(words: string): string {
  const clean = words
    .replace(/https?:\/\/\S+/g, "…")
    .replace(/\b(?:sk-|AIza|key-)[\w*.-]{6,}/g, "…")
    .replace(/\s+/g, " ")
    .trim();
  return (clean.length > MAX_WORDS ? `${clean.slice(0, MAX_WORDS)}…` : clean).toWellFormed();
}
